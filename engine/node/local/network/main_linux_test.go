package network

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// The tests named TestInside run in a child that lives as a supervisor does: in
// user, pid and mount namespaces of its own and in the host's network.
const stageVariable = "SLIPWAY_NETWORK_TEST_STAGE"

const ordinaryUser = 12345

func TestMain(m *testing.M) {
	switch os.Getenv(stageVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "launch":
		os.Exit(launch())
	case "inside":
		if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
			fmt.Println("mount /proc:", err)
			os.Exit(1)
		}
		goleak.VerifyTestMain(m)
	}
}

func inside(t *testing.T) {
	t.Helper()
	if os.Getenv(stageVariable) != "inside" {
		t.Skip("runs in the child of TestSupervisor")
	}
}

func TestSupervisor(t *testing.T) {
	binary := readableCopy(t)
	for _, user := range []int{0, ordinaryUser} {
		t.Run(fmt.Sprintf("uid %d", user), func(t *testing.T) {
			if os.Getuid() != 0 && user != ordinaryUser {
				t.Skip("needs root")
			}
			child := exec.Command(binary, "-test.run=^TestInside", "-test.v", "-test.timeout=100s")
			child.Env = append(os.Environ(), stageVariable+"=launch")
			child.Dir = "/"
			if os.Getuid() == 0 && user != 0 {
				child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
			}
			var out bytes.Buffer
			child.Stdout, child.Stderr = &out, &out
			err := child.Run()
			t.Log(out.String())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), "--- SKIP") || !strings.Contains(out.String(), "--- PASS") {
				t.Fatal("the child did not run every test")
			}
		})
	}
}

// launch starts the namespaces as the engine does, and the tests in them.
func launch() int {
	child := exec.Command("/proc/self/exe", os.Args[1:]...)
	child.Env = append(os.Environ(), stageVariable+"=inside")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Getuid() == 0 {
		all := []syscall.SysProcIDMap{{Size: 4294967295}}
		child.SysProcAttr.UidMappings, child.SysProcAttr.GidMappings = all, all
		child.SysProcAttr.GidMappingsEnableSetgroups = true
	} else {
		child.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		child.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	if err := child.Run(); err != nil {
		fmt.Println("supervisor:", err)
		return 1
	}
	return 0
}

// readableCopy puts this test's binary where an ordinary user can start it.
func readableCopy(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "slipway-network-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	from, err := os.Open("/proc/self/exe")
	must(t, err)
	defer from.Close()
	path := filepath.Join(dir, "network.test")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	must(t, err)
	_, err = io.Copy(to, from)
	must(t, err)
	must(t, to.Close())
	return path
}
