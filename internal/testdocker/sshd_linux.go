package testdocker

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// SSHD is a real ssh server of a test, for root with one key.
type SSHD struct {
	Address    string // host:port
	PrivateKey string // PEM, of who may log in
	KnownHosts string // a line with its host key

	t       testing.TB
	dir     string
	config  string
	process *exec.Cmd
}

// NewSSHD starts a server that ends with the test, or skips the test. more are
// lines of its configuration.
func NewSSHD(t testing.TB, more ...string) *SSHD {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("sshd is not installed, or this is not root; .ci/setup installs it on Debian")
	}
	s := &SSHD{t: t, dir: t.TempDir()}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { //nolint:gosec // where sshd wants it
		t.Fatal(err)
	}
	s.Rekey()
	s.keygen("user")
	s.Address = FreePort(t)
	host, port, _ := strings.Cut(s.Address, ":")
	s.PrivateKey = s.read("user")
	s.write("authorized", s.read("user.pub"))
	s.KnownHosts = fmt.Sprintf("[%s]:%s %s", host, port, s.read("host.pub"))
	lines := append(more, "Port "+port, "ListenAddress "+host, "HostKey "+s.path("host"), "PidFile none",
		"AuthorizedKeysFile "+s.path("authorized"), "StrictModes no", "UsePAM no", "PermitRootLogin yes", "PasswordAuthentication no")
	s.config = s.write("config", strings.Join(lines, "\n")+"\n")
	s.Start(program)
	t.Cleanup(s.Stop)
	return s
}

// Start starts it, again after Stop.
func (s *SSHD) Start(program string) {
	s.t.Helper()
	s.process = exec.Command(program, "-D", "-e", "-f", s.config)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", s.Address)
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("sshd does not listen: %v", err)
		}
	}
}

// Restart ends it with every connection, and starts it again.
func (s *SSHD) Restart() {
	s.t.Helper()
	program := s.process.Path
	s.Stop()
	s.Start(program)
}

// Stop ends it and the connections that it serves.
func (s *SSHD) Stop() {
	if s.process == nil {
		return
	}
	for _, pid := range childrenOf(s.process.Process.Pid) {
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill()
		}
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}

// childrenOf lists the processes below one.
func childrenOf(pid int) (all []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			var child int
			if _, err := fmt.Sscan(field, &child); err == nil {
				all = append(all, child)
				all = append(all, childrenOf(child)...)
			}
		}
	}
	return all
}

// Rekey gives it another host key, for its next start.
func (s *SSHD) Rekey() { s.keygen("host") }

func (s *SSHD) keygen(name string) {
	s.t.Helper()
	_ = os.Remove(s.path(name))
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.path(name)).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

func (s *SSHD) path(name string) string { return filepath.Join(s.dir, name) }

func (s *SSHD) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *SSHD) write(name, text string) string {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.path(name)
}
