package testdocker

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// patience is how long an Engine may take to come up on a busy machine.
const patience = 60 * time.Second

// Options of a Daemon.
type Options struct {
	TCP      string   // also listen there, host:port
	TLS      []string // arguments for TLS on TCP
	Insecure []string // registries without TLS
	Disk     string   // size of its disk, such as 64m; "" = as much as there is
	Attempts int      // how often it asks a registry for a layer, 0 = as often as Docker does
}

// Daemon is a Docker Engine of a test's own.
type Daemon struct {
	Engine

	dir     string
	options Options
	pool    string
	sweeper *sweeper
	process *exec.Cmd
	ended   chan struct{}
}

// Start starts an Engine for who is no test; Close ends it with everything that runs there.
func Start(o Options) (*Daemon, error) {
	removeStale()
	dir, err := os.MkdirTemp("/tmp", fmt.Sprintf("%s%d-", prefix, os.Getpid())) // short: a socket's path is
	if err != nil {
		return nil, err
	}
	pool, held, err := claimPool()
	if err != nil {
		return nil, err
	}
	d := &Daemon{Engine: Engine{Host: "unix://" + filepath.Join(dir, "docker.sock")}, dir: dir, options: o, pool: pool}
	if err = os.WriteFile(d.path(poolFile), []byte(pool), 0o600); err == nil {
		d.sweeper, err = newSweeper(dir, held)
	}
	if err == nil && o.Disk != "" {
		err = errors.Join(os.Mkdir(d.path("data"), 0o700), syscall.Mount("tmpfs", d.path("data"), "tmpfs", 0, "size="+o.Disk))
	}
	if err == nil {
		err = d.Run()
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Run starts the Engine, again when it was stopped or killed.
func (d *Daemon) Run() error {
	args := []string{"--data-root", d.path("data"), "--exec-root", d.path("exec"), "--pidfile", d.path("pid"),
		"--config-file", d.path("daemon.json"), "--host", d.Host, "--cgroup-parent", filepath.Base(d.dir),
		// Nothing of the machine's own network is changed.
		"--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false", "--userland-proxy=true",
		"--default-address-pool", "base=" + d.pool + ",size=24", "--shutdown-timeout=1",
		"--dns", "127.0.0.1", "--dns-opt", "timeout:2", "--dns-opt", "attempts:2"} // nobody answers there
	if d.options.TCP != "" {
		args = append(append(args, "--host", "tcp://"+d.options.TCP), d.options.TLS...)
	}
	if d.options.Attempts > 0 {
		args = append(args, "--max-download-attempts", strconv.Itoa(d.options.Attempts))
	}
	for _, r := range d.options.Insecure {
		args = append(args, "--insecure-registry", r)
	}
	if err := os.WriteFile(d.path("daemon.json"), []byte(cmp.Or(os.Getenv(Settings), "{}")), 0o600); err != nil {
		return err
	}
	_ = os.Remove(d.path("pid"))
	// Its containerd dies with it, but may be a zombie that looks alive.
	_ = os.Remove(d.path("exec/containerd/containerd.pid"))
	return d.serve(append([]string{program()}, args...))
}

// serve starts a program that answers on the socket.
func (d *Daemon) serve(command []string) error {
	log, err := os.OpenFile(d.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	d.process = exec.Command(command[0], command[1:]...)
	d.process.Stdout, d.process.Stderr = log, log
	d.process.Env = append(os.Environ(), "CONTAINERS_CONF="+d.path("containers.conf")) // Podman's
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
		if d.answers() == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.ended:
			return fmt.Errorf("%s ended: %s", d.process.Path, d.lastWords())
		case <-deadline:
			return fmt.Errorf("%s did not answer within %s: %s", d.process.Path, patience, d.lastWords())
		}
	}
}

func (d *Daemon) lastWords() string {
	text, err := os.ReadFile(d.path("log"))
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-2000):]))
}

// Signal sends the Engine a signal. After SIGSTOP it does nothing more when Signal
// returns: one of its threads may take a while to notice.
func (d *Daemon) Signal(s syscall.Signal) error {
	err := d.process.Process.Signal(s)
	for deadline := time.Now().Add(patience); err == nil && s == syscall.SIGSTOP && !d.stands(); {
		if time.Now().After(deadline) {
			return fmt.Errorf("dockerd did not stop within %s", patience)
		}
		time.Sleep(time.Millisecond)
	}
	return err
}

// stands reports whether every thread of the Engine is stopped.
func (d *Daemon) stands() bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", d.process.Process.Pid))
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if _, state, found := bytes.Cut(text, []byte(") ")); err == nil && (!found || state[0] != 'T') {
			return false
		}
	}
	return err == nil
}

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
	d.sweeper.end()
}

func (d *Daemon) path(name string) string { return filepath.Join(d.dir, name) }
