package cache

import (
	"archive/tar"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

type files = []testimage.File

// layered is an image with everything that is hard to unpack.
func layered(t *testing.T) v1.Image {
	return testimage.FromFiles(t, testimage.Options{Platform: "linux/amd64"},
		files{
			{Path: "/etc/"}, {Path: "/etc/passwd", Content: "root"}, {Path: "/etc/shadow", Content: "hidden", Mode: 0o640, GID: 42},
			{Path: "/tmp/", Mode: 0o1777}, {Path: "/srv/", UID: 33, GID: 33, Mode: 0o750}, {Path: "/srv/old", Content: "old", UID: 33},
			{Path: "/bin/"}, {Path: "/bin/su", Content: "su", Mode: 0o4755}, {Path: "/bin/sh", Symlink: "su"},
			{Path: "/bin/hard", Hardlink: "/bin/su", Mode: 0o4755},
			{Path: "/ro/", Mode: 0o555}, {Path: "/ro/inside", Content: "fixed", Mode: 0o444},
			{Path: "/gone", Content: "gone"}, {Path: "/opaque/"}, {Path: "/opaque/below", Content: "below"},
			{Path: "/again/"}, {Path: "/again/below", Content: "below"},
		},
		files{
			{Path: "/.wh.gone"}, {Path: "/etc/.wh.shadow"},
			{Path: "/opaque/"}, {Path: "/opaque/.wh..wh..opq"}, {Path: "/opaque/above", Content: "above"},
			{Path: "/.wh.again"}, {Path: "/again/"}, {Path: "/again/above", Content: "above"},
			{Path: "/tmp/implied/file", Content: "x"}, {Path: "/srv/new", Content: "new"},
		})
}

const merged = `/again 40755
/again/above 100644 above
/bin 40755
/bin/hard 104755 su
/bin/sh 120777 -> su
/bin/su 104755 su
/etc 40755
/etc/passwd 100644 root
/opaque 40755
/opaque/above 100644 above
/ro 40555
/ro/inside 100444 fixed
/srv 40750
/srv/new 100644 new
/srv/old 100644 old
/tmp 41777
/tmp/implied 40755
/tmp/implied/file 100644 x
`

// withoutOwners drops owner and link count from what list prints.
func withoutOwners(listing string) string {
	var b strings.Builder
	for line := range strings.Lines(listing) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
		b.WriteString(strings.TrimRight(f[0]+" "+f[1]+" "+f[4], " ") + "\n")
	}
	return b.String()
}

func TestLayersServeAnOverlay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting an overlay outside of a user namespace needs root")
	}
	pinned, cred := published(t, layered(t))
	dir := t.TempDir()
	if out, err := run(child{Dir: dir, Pinned: pinned, Cred: cred}.command(t)); err != nil {
		t.Fatal(err, out)
	}
	cmd := child{Dir: dir, Pinned: pinned, Mount: filepath.Join(t.TempDir(), "root")}.command(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	listing, err := run(cmd)
	if err != nil {
		t.Fatal(err, listing)
	}
	if got := withoutOwners(listing); got != merged {
		t.Errorf("got\n%s\nwant\n%s", got, merged)
	}
	for _, want := range []string{"/srv 40750 33:33 ", "/srv/old 100644 33:0 ", "/bin/hard 104755 0:0 2 su"} {
		if !strings.Contains(listing, want) {
			t.Errorf("no %q in\n%s", want, listing)
		}
	}
}

func TestOrdinaryUser(t *testing.T) {
	cmd := func(c child) (string, error) {
		cmd := c.command(t)
		cmd.SysProcAttr = &syscall.SysProcAttr{}
		if os.Geteuid() == 0 {
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: ordinary, Gid: ordinary}
		}
		if c.Mount != "" {
			cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: hostID(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: hostGroup(), Size: 1}}
			cmd.SysProcAttr.Credential = &syscall.Credential{NoSetGroups: true} // root inside
		}
		return run(cmd)
	}
	pinned, cred := published(t, layered(t))
	dir := shared(t)
	if out, err := cmd(child{Dir: filepath.Join(dir, "cache"), Pinned: pinned, Cred: cred}); err != nil {
		t.Fatal(err, out)
	}
	listing, err := cmd(child{Dir: filepath.Join(dir, "cache"), Pinned: pinned, Mount: filepath.Join(dir, "root")})
	if err != nil {
		t.Fatal(err, listing)
	}
	if got := withoutOwners(listing); got != merged {
		t.Errorf("got\n%s\nwant\n%s", got, merged)
	}
}

func TestNothingLeavesTheLayer(t *testing.T) {
	outside := t.TempDir()
	c := open(t)
	img := testimage.FromFiles(t, testimage.Options{Platform: "linux/amd64"},
		files{{Path: "/link", Symlink: outside}, {Path: "/up", Symlink: "../../../../../../.." + outside}},
		files{{Path: "/link", Symlink: outside}, {Path: "/link/by-link", Content: "x"}, {Path: "../../../../../../../../.." + outside + "/by-dots", Content: "x"}})
	pinned, cred := published(t, img)
	if err := c.Pull(t.Context(), pinned, "linux/amd64", cred); err != nil && !errors.Is(err, engine.ErrUnavailable) {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 0 {
		t.Errorf("an image wrote %v outside, %v", entries, err)
	}
}

func TestHardLinkToOutsideIsRefused(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t)
	pinned, cred := published(t, testimage.FromFiles(t, testimage.Options{Platform: "linux/amd64"},
		files{{Path: "/stolen", Hardlink: "../../../../../../../../../.." + secret, Type: tar.TypeLink}}))
	err := c.Pull(t.Context(), pinned, "linux/amd64", cred)
	if !errors.Is(err, engine.ErrUnavailable) || c.Has(image.Digest(pinned)) {
		t.Errorf("got %v", err)
	}
	whole(t, c)
}

func TestAttributes(t *testing.T) {
	c := open(t)
	pinned, cred := published(t, testimage.FromFiles(t, testimage.Options{Platform: "linux/amd64"}, files{
		{Path: "/dir/", Xattrs: map[string]string{"user.overlay.opaque": "y", "user.note": "kept"}}}))
	if err := c.Pull(t.Context(), pinned, "linux/amd64", cred); err != nil {
		t.Fatal(err)
	}
	found, err := c.Image(image.Digest(pinned))
	if err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 10)
	if n, err := unix.Getxattr(found.Layers[0]+"/dir", "user.note", value); err != nil || string(value[:n]) != "kept" {
		t.Errorf("user.note = %q, %v", value[:max(n, 0)], err)
	}
	if _, err := unix.Getxattr(found.Layers[0]+"/dir", opaqueAttribute, value); !errors.Is(err, unix.ENODATA) {
		t.Errorf("an image spoke to the overlay: %v", err)
	}
}

func TestRemoveWhatMayNotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	if err := errors.Join(os.MkdirAll(dir+"/a/b", 0o755), os.WriteFile(dir+"/a/b/file", nil, 0o400),
		os.Chmod(dir+"/a/b", 0o500), os.Chmod(dir+"/a", 0)); err != nil {
		t.Fatal(err)
	}
	if err := removeAll(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}
