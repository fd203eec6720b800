package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

// child is what a test asks another process, this binary run again, to do.
type child struct {
	Dir, Pinned string
	Cred        image.Credential
	Mount       string // directory to show the image's merged tree of
	Room        string // size of the disk that Dir is to lie on, such as 256k
}

const childVariable = "SLIPWAY_TEST_CACHE_CHILD"

func TestMain(m *testing.M) {
	text, is := os.LookupEnv(childVariable)
	if !is {
		os.Exit(m.Run())
	}
	var c child
	err := json.Unmarshal([]byte(text), &c)
	if err == nil {
		err = c.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (c child) run() error {
	if c.Room != "" {
		if err := unix.Mount("tmpfs", c.Dir, "tmpfs", 0, "size="+c.Room); err != nil {
			return err
		}
	}
	cache, err := Open(c.Dir)
	if err != nil {
		return err
	}
	if c.Mount != "" {
		return show(cache, image.Digest(c.Pinned), c.Mount)
	}
	err = cache.Pull(context.Background(), c.Pinned, "linux/amd64", c.Cred)
	if c.Room != "" {
		err = fmt.Errorf("%w; left: %s", err, leftIn(cache))
	}
	return err
}

// command runs the child; it is not started yet.
func (c child) command(t *testing.T) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	cmd.Stderr = &strings.Builder{}
	return cmd
}

// leftIn lists what a failed pull left behind.
func leftIn(c *Cache) []string {
	var left []string
	for _, room := range []string{"layers", "marks", "images", "pulls", "tmp"} {
		found, _ := filepath.Glob(c.path(room, "*"))
		left = append(left, found...)
	}
	return left
}
