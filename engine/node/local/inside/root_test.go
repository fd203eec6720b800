//go:build linux

package inside_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/inside"
)

// TestPathsStayInside makes files and directories through every kind of link.
func TestPathsStayInside(t *testing.T) {
	base := t.TempDir()
	outside, dir := filepath.Join(base, "outside"), filepath.Join(base, "root")
	for _, d := range []string{outside, filepath.Join(dir, "down")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"absolute": outside, "up": "../outside", "down/up": "../../../../../../outside", "nowhere": "down/made", "circle": "circle",
		"magic": "/proc/1/root" + outside, "fifo": "pipe", "all": "/",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := inside.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, test := range []struct {
		path, at string // where it is made below the root, "" when it cannot be
	}{
		{"/plain/dir/file", "plain/dir/file"},
		{"relative", "relative"},
		{"/absolute/file", outside[1:] + "/file"},
		{"/up/file", "outside/file"},
		{"/down/up/deep/file", "outside/deep/file"},
		{"/nowhere/file", "down/made/file"},
		{"/magic/file", "proc/1/root" + outside + "/file"},
		{"/all/all/top", "top"},
		{"/down/../../../side", "side"},
		{"/missing/../beside", "beside"},
		{"/circle/file", ""},
		{"/fifo", ""},
		{"/plain", ""},
	} {
		err := root.Write(test.path, []byte("x"), 0o640)
		if (err == nil) != (test.at != "") {
			t.Errorf("%s: %v", test.path, err)
			continue
		}
		if test.at == "" {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, test.at))
		if err != nil || info.Mode() != 0o640 {
			t.Errorf("%s is not at %s: %v, %v", test.path, test.at, info, err)
		}
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside there is %v (%v)", left, err)
	}
	if text, err := root.Read("/no/file"); text != "" || err != nil {
		t.Errorf("an absent file reads as %q, %v", text, err)
	}
	found, err := root.FindDir("/all")
	if err != nil || !root.Same(found) {
		t.Errorf("a link to the root is not the root: %v", err)
	}
}

// TestMagicLinks: the kernel's own links lead out of any root, so they are refused
// even where the root has a /proc.
func TestMagicLinks(t *testing.T) {
	root, err := inside.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, path := range []string{"/proc/self/root", "/proc/self/cwd", "/proc/self/exe", "/proc/self/fd/0"} {
		if f, err := root.Find(path); err == nil {
			t.Errorf("%s was followed to %s", path, f.Name())
		}
	}
}
