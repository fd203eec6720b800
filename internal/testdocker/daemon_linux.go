package testdocker

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// patience is how long an Engine may take to come up on a busy machine.
const patience = 60 * time.Second

// Options of a Daemon.
type Options struct {
	TCP      string   // also listen there, host:port
	TLS      []string // arguments for TLS on TCP
	Insecure []string // registries without TLS
}

// Daemon is a Docker Engine of a test.
type Daemon struct {
	Host string // unix:///…

	dir     string
	options Options
	pool    string
	process *exec.Cmd
	ended   chan struct{}
}

// Wanted is the environment variable that asks for tests on Docker Engines.
const Wanted = "SLIPWAY_TEST_DOCKER"

// Missing says why no Engine can run here, "" when one can. Engines of tests
// change the machine's firewall rules, so they are started only where asked for.
func Missing() string {
	if os.Getenv(Wanted) != "1" {
		return "tests on Docker Engines start private daemons, which change firewall rules: set " + Wanted + "=1, as root"
	}
	if os.Geteuid() != 0 {
		return "a Docker Engine of a test needs root"
	}
	for _, program := range []string{"dockerd", "containerd", "iptables"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed; .ci/setup does that on Debian"
		}
	}
	return ""
}

// New starts an Engine that ends with the test, or skips the test.
func New(t testing.TB, o Options) *Daemon {
	t.Helper()
	if why := Missing(); why != "" {
		t.Skip(why)
	}
	d, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// Start starts an Engine; Close ends it with everything that runs there.
func Start(o Options) (*Daemon, error) {
	removeStale()
	dir, err := os.MkdirTemp("/tmp", fmt.Sprintf("%s%d-", prefix, os.Getpid())) // short: a socket's path is
	if err != nil {
		return nil, err
	}
	var random [1]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	d := &Daemon{dir: dir, options: o, Host: "unix://" + filepath.Join(dir, "docker.sock"),
		pool: fmt.Sprintf("10.%d.0.0/16", 64+random[0]%128)}
	if err := d.Run(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Run starts the Engine, again when it was stopped or killed.
func (d *Daemon) Run() error {
	args := []string{"--data-root", d.path("data"), "--exec-root", d.path("exec"), "--pidfile", d.path("pid"),
		"--config-file", d.path("daemon.json"), "--host", d.Host, "--cgroup-parent", filepath.Base(d.dir),
		"--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--userland-proxy=true",
		"--default-address-pool", "base=" + d.pool + ",size=24", "--shutdown-timeout=1",
		"--dns", "127.0.0.1"} // nobody answers there: unknown names fail at once
	if d.options.TCP != "" {
		args = append(append(args, "--host", "tcp://"+d.options.TCP), d.options.TLS...)
	}
	for _, r := range d.options.Insecure {
		args = append(args, "--insecure-registry", r)
	}
	if err := os.WriteFile(d.path("daemon.json"), []byte("{}"), 0o600); err != nil {
		return err
	}
	_ = os.Remove(d.path("pid"))
	// Its containerd dies with it, but may be a zombie that looks alive.
	_ = os.Remove(d.path("exec/containerd/containerd.pid"))
	log, err := os.OpenFile(d.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	d.process = exec.Command("dockerd", args...)
	d.process.Stdout, d.process.Stderr = log, log
	d.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.process.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	d.ended = ended
	go func(p *exec.Cmd) {
		_ = p.Wait()
		close(ended)
	}(d.process)
	return d.await()
}

// await waits until the Engine answers.
func (d *Daemon) await() error {
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if d.answers() {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.ended:
			return fmt.Errorf("dockerd ended: %s", d.lastWords())
		case <-deadline:
			return fmt.Errorf("dockerd did not answer within %s: %s", patience, d.lastWords())
		}
	}
}

func (d *Daemon) answers() bool {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", d.Socket())
	}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport, Timeout: time.Second}).Get("http://docker/_ping")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func (d *Daemon) lastWords() string {
	text, err := os.ReadFile(d.path("log"))
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-2000):]))
}

// Socket is the path of the Engine's socket.
func (d *Daemon) Socket() string { return strings.TrimPrefix(d.Host, "unix://") }

// Signal sends the Engine a signal, such as SIGSTOP.
func (d *Daemon) Signal(s syscall.Signal) error { return d.process.Process.Signal(s) }

// Stop ends the Engine in good order, and its containers with it.
func (d *Daemon) Stop() error { return d.end(syscall.SIGTERM) }

// Kill ends the Engine with SIGKILL; containers go on.
func (d *Daemon) Kill() error { return d.end(syscall.SIGKILL) }

func (d *Daemon) end(s syscall.Signal) error {
	if err := d.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-d.ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("dockerd did not end: %s", d.lastWords())
	}
}

// Close ends the Engine and everything that it started.
func (d *Daemon) Close() {
	if d.process != nil {
		_ = d.Kill()
	}
	removeAll(d.dir)
}

func (d *Daemon) path(name string) string { return filepath.Join(d.dir, name) }

// Client speaks to the Engine behind everybody's back.
func (d *Daemon) Client(t testing.TB) *client.Client {
	t.Helper()
	c, err := client.New(client.WithHost(d.Host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Things lists what there is, sorted: "container shop-api-1-1", "network slipway-shop",
// "volume shop-db-data", "image app:1"; without what every Engine has.
func (d *Daemon) Things(t testing.TB) []string {
	t.Helper()
	c, ctx := d.Client(t), context.Background()
	containers, err1 := c.ContainerList(ctx, client.ContainerListOptions{All: true})
	networks, err2 := c.NetworkList(ctx, client.NetworkListOptions{})
	volumes, err3 := c.VolumeList(ctx, client.VolumeListOptions{})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, x := range containers.Items {
		all = append(all, "container "+strings.TrimPrefix(x.Names[0], "/"))
	}
	for _, x := range networks.Items {
		if x.Name != "host" && x.Name != "none" && x.Name != "bridge" {
			all = append(all, "network "+x.Name)
		}
	}
	for _, x := range volumes.Items {
		all = append(all, "volume "+x.Name)
	}
	slices.Sort(all)
	return all
}
