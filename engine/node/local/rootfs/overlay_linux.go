package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// mountOverlay mounts the layers with the instance's writable one. All options
// together must fit a page, so the layers are named relative to their common directory.
func mountOverlay(p Plan) error {
	for _, dir := range []string{p.Upper, p.Work, p.Merged} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	base, lower, err := relative(p.Layers)
	if err != nil {
		return err
	}
	if err := unix.Chdir(base); err != nil {
		return fmt.Errorf("the image's layers are gone: %w", err)
	}
	options := fmt.Sprintf("userxattr,lowerdir=%s,upperdir=%s,workdir=%s",
		strings.Join(lower, ":"), escape(p.Upper), escape(p.Work))
	if len(options) >= os.Getpagesize() {
		return engine.Unsupported("image", fmt.Sprintf("the image has %d layers, too many for the path of the node's root", len(p.Layers)),
			"build the image with fewer layers, or give the node a root with a shorter path")
	}
	err = unix.Mount("overlay", p.Merged, "overlay", 0, options)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EPERM) {
		return &engine.Error{Class: engine.ErrUnavailable, Err: err,
			Reason: "the kernel refused an overlay file system below " + filepath.Dir(p.Merged),
			Hint:   "put the node's root on a file system such as ext4, xfs, btrfs or tmpfs; Linux 5.11 or newer is needed"}
	}
	if err != nil {
		return fmt.Errorf("mounting the image: %w", err)
	}
	return nil
}

// relative names the layers, highest first as overlayfs wants them, below the
// directory that holds them all.
func relative(layers []string) (base string, lower []string, err error) {
	if len(layers) == 0 {
		return "", nil, engine.Invalid("image", "the image has no layers")
	}
	base = filepath.Dir(layers[0])
	for _, l := range layers[1:] {
		for !strings.HasPrefix(l, base+"/") && base != "/" {
			base = filepath.Dir(base)
		}
	}
	for _, l := range layers {
		name, err := filepath.Rel(base, l)
		if err != nil {
			return "", nil, err
		}
		lower = append(lower, escape(name))
	}
	slices.Reverse(lower)
	return base, lower, nil
}

var escaper = strings.NewReplacer(`\`, `\\`, `:`, `\:`, `,`, `\,`)

func escape(path string) string { return escaper.Replace(path) }
