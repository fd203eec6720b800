package load

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// app is the test application as a process.
type app struct {
	address string
	cmd     *exec.Cmd
	ended   chan struct{}
}

// startApp runs it at an address, and waits until it is healthy.
func startApp(t *testing.T, address string, env ...string) *app {
	t.Helper()
	program, err := testimage.Program(filepath.Join("..", "testimage", "app"), v1.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH})
	if err != nil {
		t.Fatal(err)
	}
	a := &app{address: address, cmd: exec.Command(program), ended: make(chan struct{})}
	a.cmd.Env = append([]string{"LISTEN=" + address}, env...)
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(a.ended)
		_ = a.cmd.Wait()
	}()
	t.Cleanup(func() { a.end(syscall.SIGKILL) })
	until(t, "the application is healthy", func() bool {
		resp, err := http.Get("http://" + address + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return a
}

// end sends a signal and waits.
func (a *app) end(s syscall.Signal) {
	_ = a.cmd.Process.Signal(s)
	<-a.ended
}

// freeAddress is one where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was for the number only
	return l.Addr().String()
}

// lead forwards connections to where it leads at that moment.
type lead struct {
	net.Listener
	to   atomic.Value // string
	open sync.WaitGroup
}

func newLead(t *testing.T, to string) *lead {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &lead{Listener: listener}
	l.to.Store(to)
	l.open.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			l.open.Go(func() { l.forward(in) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		l.open.Wait()
	})
	return l
}

func (l *lead) forward(in net.Conn) {
	defer in.Close()                                     //nolint:errcheck // at its end
	out, err := net.Dial("tcp", fmt.Sprint(l.to.Load())) //nolint:noctx // of a test
	if err != nil {
		return
	}
	defer out.Close() //nolint:errcheck // at its end
	var back sync.WaitGroup
	back.Go(func() { pass(in, out) })
	pass(out, in)
	back.Wait()
}

func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// until polls.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatal("never: " + what)
		case <-tick.C:
		}
	}
}
