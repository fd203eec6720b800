package testimage_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/pkg/archive"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// trial runs an image's program in a root and namespaces of its own, and probes it.
type trial struct {
	Root     string
	Command  []string
	Env      []string
	UID      uint32
	Probe    string // http, redis, or a command to run in the root
	Expected string
}

const trialVariable = "SLIPWAY_TEST_TRIAL"

func TestMain(m *testing.M) {
	text, is := os.LookupEnv(trialVariable)
	if !is {
		os.Exit(m.Run())
	}
	var tr trial
	err := json.Unmarshal([]byte(text), &tr)
	if err == nil {
		err = tr.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// try runs the trial in a child process.
func (tr trial) try(t *testing.T, img v1.Image) {
	t.Helper()
	if testing.Short() {
		t.Skip("unpacking whole systems takes a while; run without -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("running an image by hand needs root")
	}
	tr.Root = filepath.Join(t.TempDir(), "root")
	content := mutate.Extract(img)
	defer content.Close() //nolint:errcheck // read to its end
	if err := os.Mkdir(tr.Root, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Apply(context.Background(), tr.Root, content); err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	tr.Command, tr.Env = append(config.Config.Entrypoint, config.Config.Cmd...), append(config.Config.Env, tr.Env...)
	text, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), trialVariable+"="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWPID, Unshareflags: unix.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func (tr trial) run() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := errors.Join(netlink.LinkSetUp(lo), unix.Mount("proc", tr.Root+"/proc", "proc", 0, ""), unix.Mount("/dev", tr.Root+"/dev", "", unix.MS_BIND|unix.MS_REC, "")); err != nil {
		return err
	}
	service := tr.command(tr.Command...)
	service.SysProcAttr.Credential = &syscall.Credential{Uid: tr.UID, Gid: tr.UID}
	service.Stdout, service.Stderr = os.Stdout, os.Stderr
	if err := service.Start(); err != nil {
		return err
	}
	defer service.Process.Kill() //nolint:errcheck // the end
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		answer, err := tr.probe()
		if strings.Contains(answer, tr.Expected) {
			return nil
		}
		select {
		case <-deadline:
			return fmt.Errorf("got %q, %w", answer, err)
		case <-tick.C:
		}
	}
}

func (tr trial) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir = tr.Env, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: tr.Root}
	return cmd
}

// probe asks the service once; a refused connection comes back at once.
func (tr trial) probe() (string, error) {
	switch tr.Probe {
	case "http":
		resp, err := http.Get("http://127.0.0.1:80/")
		if err != nil {
			return "", err
		}
		defer resp.Body.Close() //nolint:errcheck // read to its end
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	case "redis":
		conn, err := net.Dial("tcp", "127.0.0.1:6379")
		if err != nil {
			return "", err
		}
		defer conn.Close() //nolint:errcheck // the end
		_, _ = fmt.Fprint(conn, "PING\r\n")
		return bufio.NewReader(conn).ReadString('\n')
	default:
		out, err := tr.command(strings.Fields(tr.Probe)...).CombinedOutput()
		return string(out), err
	}
}

func TestNginx(t *testing.T) {
	trial{Probe: "http", Expected: "nginx on "}.try(t, testimage.Nginx(t))
}

func TestRedis(t *testing.T) {
	trial{Probe: "redis", Expected: "+PONG", UID: 999}.try(t, testimage.Redis(t))
}

func TestPostgres(t *testing.T) {
	trial{
		Env:   []string{"POSTGRES_PASSWORD=pw", "POSTGRES_USER=shop", "POSTGRES_DB=shopdb", "PGPASSWORD=pw"},
		Probe: "/usr/lib/postgresql/15/bin/psql -h 127.0.0.1 -U shop shopdb -At -c select('ans'||'wer')", Expected: "answer",
	}.try(t, testimage.Postgres(t))
}
