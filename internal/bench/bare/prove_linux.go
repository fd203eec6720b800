package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
)

// prove waits as the engine does for an instance with one http check and no
// least time to stay healthy.
func prove(ctx context.Context, p *program, port int) error {
	gate := health.Gate{Clock: health.SystemClock{}}
	return gate.Wait(ctx, health.GateInput{
		Target: p,
		Checks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: port}}},
		Alive:  func(context.Context) (health.Liveness, error) { return p.liveness(), nil },
	})
}

func (p *program) liveness() health.Liveness {
	return health.Liveness{Running: p.process.Signal(unix.Signal(0)) == nil, ExitCode: -1}
}

// Dial implements health.Target: it connects from within the program's network.
func (p *program) Dial(ctx context.Context, network string, port int) (conn net.Conn, err error) {
	err = inNetwork(p.network, func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		return err
	})
	return conn, err
}

// Exec implements health.Target; no order asks for it.
func (p *program) Exec(context.Context, []string) (int, string, error) {
	return 0, "", errors.ErrUnsupported
}

// inNetwork calls f on a thread that is in another network, and brings it back.
func inNetwork(network *os.File, f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("entering the network: %w", err)
	}
	err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, back) // the thread is lost, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// loopbackUp switches on the loopback of the network that the thread is in.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("switching on loopback: %w", err)
	}
	return nil
}
