//go:build linux

package local_test

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
)

const (
	ordinaryUser = 12345
	// imagesVariable hands the images to the tests of the ordinary user.
	imagesVariable = "SLIPWAY_LOCAL_TEST_IMAGES"
)

// images are built once, by the first process that needs them.
func images(t *testing.T) nodetest.Images {
	t.Helper()
	if text := os.Getenv(imagesVariable); text != "" {
		var given nodetest.Images
		if err := json.Unmarshal([]byte(text), &given); err != nil {
			t.Fatal(err)
		}
		return given
	}
	return nodetest.NewImages(t)
}

// engineID is another one in every process, so that the names of control groups are.
var engineID = "eng_" + rand.Text()

func open(t *testing.T, root string) node.Driver {
	t.Helper()
	d, err := local.New(local.Config{Root: root, EngineID: engineID})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestContract(t *testing.T) {
	root := nodeRoot
	var sandboxes []string
	nodetest.Run(t, images(t), func(t *testing.T) node.Driver {
		sandboxes = append(sandboxes, state.Root{Dir: root}.Sandbox(engineID, nodetest.Deployment(t)).ID())
		return open(t, root)
	})
	leftovers(t, root, sandboxes)
}

// TestOrdinaryUser runs all other tests once more as a user without any right.
func TestOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("runs as one already")
	}
	home, err := os.MkdirTemp("", "slipway-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	binary := copySelf(t, home)
	if err := os.Chown(home, ordinaryUser, ordinaryUser); err != nil {
		t.Fatal(err)
	}
	given, err := json.Marshal(images(t))
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(binary, "-test.v", "-test.timeout=5m", "-test.run="+os.Getenv("SLIPWAY_LOCAL_TEST_RUN"))
	child.Dir = home
	child.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH"), imagesVariable + "=" + string(given)}
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinaryUser, Gid: ordinaryUser}}
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: TestContract") && os.Getenv("SLIPWAY_LOCAL_TEST_RUN") == "" {
		t.Fatalf("nothing was tested:\n%s", out)
	}
}

func copySelf(t *testing.T, dir string) string {
	t.Helper()
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(dir, "local.test")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755) //nolint:gosec // another user runs it
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	return path
}

// leftovers wants nothing of the node's deployments to be left on the machine.
func leftovers(t *testing.T, root string, sandboxes []string) {
	t.Helper()
	for _, dir := range []string{"d", "v"} {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		for _, e := range entries {
			t.Errorf("%s/%s is left", dir, e.Name())
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Error(err)
	}
	for _, path := range processes {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), root) {
			t.Errorf("a process is left: %q", text)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || strings.Contains(string(mounts), root) {
		t.Errorf("a mount is left below %s (%v)", root, err)
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains(sandboxes, d.Name()) {
			t.Errorf("a control group is left: %s", path)
		}
		return nil
	})
}
