package rootfs

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// mountDev makes a /dev of the instance's own; its mount point is a directory.
func mountDev(p Plan) error {
	dev := p.Merged + "/dev"
	if err := unix.Mount("tmpfs", dev, "tmpfs", unix.MS_NOSUID, "mode=755,size=64k"); err != nil {
		return fmt.Errorf("mounting /dev: %w", err)
	}
	for _, name := range devices {
		if err := os.WriteFile(dev+"/"+name, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, dev+"/"+name, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting /dev/%s: %w", name, err)
		}
	}
	terminals := "newinstance,ptmxmode=0666,mode=0620"
	if p.Users {
		terminals += ",gid=5" // tty, on every Linux
	}
	for _, m := range []struct{ kind, name, options string }{
		{"devpts", "pts", terminals},
		{"tmpfs", "shm", fmt.Sprintf("mode=1777,size=%d", p.ShmSize)},
		{"mqueue", "mqueue", ""},
	} {
		if err := os.Mkdir(dev+"/"+m.name, 0o755); err != nil {
			return err
		}
		flags := uintptr(careful)
		if m.kind == "devpts" {
			flags &^= unix.MS_NODEV
		}
		if err := unix.Mount(m.kind, dev+"/"+m.name, m.kind, flags, m.options); err != nil {
			return fmt.Errorf("mounting /dev/%s: %w", m.name, err)
		}
	}
	for name, target := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd",
		"stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, dev+"/"+name); err != nil {
			return err
		}
	}
	return nil
}
