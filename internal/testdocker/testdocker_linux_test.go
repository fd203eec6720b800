package testdocker

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// A test that is killed leaves no Engine, no container's process, no network and no file.
func TestKilledTestLeavesNothing(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_VICTIM") != "" {
		d := New(t, Options{})
		if _, err := d.Client(t).NetworkCreate(t.Context(), "left", client.NetworkCreateOptions{Driver: "bridge"}); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\npool %s\nengine %s\n", d.pool, d.dir)
		select {} // until it is killed
	}
	if why := Missing(); why != "" {
		t.Skip(why)
	}
	victim := exec.Command("/proc/self/exe", "-test.run=^TestKilledTestLeavesNothing$")
	victim.Env = append(os.Environ(), "SLIPWAY_TEST_VICTIM=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	dir, said := "", ""
	var pool netip.Prefix
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		said += lines.Text() + "\n"
		if text, found := strings.CutPrefix(lines.Text(), "pool "); found {
			if pool, err = netip.ParsePrefix(text); err != nil || len(bridgesIn(pool)) != 1 {
				t.Errorf("pool %q (%v) has the bridges %v", text, err, bridgesIn(pool))
			}
		}
		if name, found := strings.CutPrefix(lines.Text(), "engine "); found {
			dir = name
		}
	}
	if err := victim.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = victim.Wait()
	if dir == "" {
		t.Skipf("no Engine came up: %s", said)
	}
	deadline, tick := time.After(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		_, err := os.Stat(dir)
		if os.IsNotExist(err) && len(processesOf(dir)) == 0 && len(mountsBelow(dir)) == 0 && len(bridgesIn(pool)) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("of %s there are left: processes %v, mounts %v, bridges %v, files: %v", dir, processesOf(dir), mountsBelow(dir), bridgesIn(pool), err)
		}
	}
}

// asked is a test that notes why it is not to go on.
type asked struct {
	testing.TB
	skipped, failed string
}

func (a *asked) Skip(args ...any)                  { a.skipped = fmt.Sprint(args...); panic(a) }
func (a *asked) Fatal(args ...any)                 { a.failed = fmt.Sprint(args...); panic(a) }
func (a *asked) Fatalf(format string, args ...any) { a.Fatal(fmt.Sprintf(format, args...)) }

func ask(t *testing.T, what func(testing.TB)) (a *asked) {
	a = &asked{TB: t}
	defer func() {
		if r := recover(); r != nil && r != a {
			panic(r)
		}
	}()
	what(a)
	return a
}

// Where no private Engine can run, tests that do no harm use the user's, others are
// skipped; nothing ever finds the user's Engine by itself.
func TestWhichEngine(t *testing.T) {
	own := New(t, Options{})
	if host := os.Getenv("DOCKER_HOST"); host != nowhere {
		t.Errorf("a test that names no host would use %s", host)
	}
	private := func(tb testing.TB) { New(tb, Options{}) }
	var got *Engine
	anyEngine := func(tb testing.TB) { got = Shared(tb) }
	defer func(host string, up bool) {
		usersHost = host
		cameUp.Store(up)
	}(usersHost, true)
	t.Setenv(Wanted, "")
	t.Setenv("PATH", t.TempDir())

	usersHost = own.Host
	if a := ask(t, private); !strings.Contains(a.skipped, "dockerd is not installed") {
		t.Errorf("without dockerd: %+v", a)
	}
	if a := ask(t, anyEngine); a.skipped+a.failed != "" || got.Host != own.Host {
		t.Errorf("with an Engine of the user: %+v, %v", a, got)
	}
	for host, why := range map[string]string{"tcp://192.0.2.1:2376": "not on this machine", "unix://" + t.TempDir() + "/x": "x"} {
		usersHost = host
		if a := ask(t, anyEngine); !strings.Contains(a.skipped, why) {
			t.Errorf("with %s: %+v", host, a)
		}
	}
	t.Setenv(Wanted, "1")
	if a := ask(t, private); !strings.Contains(a.failed, Wanted+"=1") {
		t.Errorf("asked for without dockerd: %+v", a)
	}
	t.Setenv(Wanted, "0")
	for _, what := range []func(testing.TB){private, anyEngine} {
		if a := ask(t, what); !strings.Contains(a.skipped, Wanted+"=0") {
			t.Errorf("turned off: %+v", a)
		}
	}
}

// A machine that lets no Engine run is not a failure, unless one has run there.
func TestEngineDoesNotComeUp(t *testing.T) {
	if why := Missing(); why != "" {
		t.Skip(why)
	}
	dir := t.TempDir()
	for _, program := range []string{"dockerd", "containerd", "iptables"} {
		script := "#!/bin/sh\necho loading >&2\necho failed to start daemon: the kernel forbids it >&2\nexit 1\n"
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil { //nolint:gosec // it is run
			t.Fatal(err)
		}
	}
	t.Setenv(Wanted, "")
	t.Setenv(Program, "")
	t.Setenv("PATH", dir)
	defer cameUp.Store(cameUp.Load())
	cameUp.Store(false)
	private := func(tb testing.TB) { New(tb, Options{}) }
	if a := ask(t, private); !strings.Contains(a.skipped, "the kernel forbids it") || strings.Contains(a.skipped, "loading") {
		t.Errorf("where none ever came up: %+v", a)
	}
	cameUp.Store(true)
	if a := ask(t, private); !strings.Contains(a.failed, "the kernel forbids it") {
		t.Errorf("where one came up before: %+v", a)
	}
}
