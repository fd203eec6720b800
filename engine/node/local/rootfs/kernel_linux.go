package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/inside"
)

const careful = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// makeMountPoints makes the directories for the kernel's file systems, in place of
// whatever else the image has there. Nothing done later can make links of them.
func makeMountPoints(root *inside.Root) error {
	for _, path := range kernels {
		if err := root.Clear(path, fs.FileMode.IsDir); err != nil {
			return err
		}
		dir, err := root.MakeDir(path)
		if err != nil {
			return err
		}
		dir.Close()
	}
	return nil
}

// mountSys shows the devices of the instance's own network namespace. Where the
// node hides parts of its /sys the kernel refuses, and there is none.
func mountSys(merged string) error {
	err := unix.Mount("sysfs", merged+"/sys", "sysfs", careful|unix.MS_RDONLY, "")
	if err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("mounting /sys: %w", err)
	}
	return nil
}

// What runc hides and protects (its libcontainer/specconv example and Docker's
// oci/defaults.go): these files tell of the whole machine or change it. With the
// root user mapped to itself the kernel would let the instance's root write them.
var (
	hidden = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
	}
	readOnly = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

func maskKernel() error {
	for _, path := range readOnly {
		if err := bindReadOnly(path); err != nil {
			return fmt.Errorf("protecting %s: %w", path, err)
		}
	}
	for _, path := range hidden {
		if err := hide(path); err != nil {
			return fmt.Errorf("hiding %s: %w", path, err)
		}
	}
	return nil
}

func bindReadOnly(path string) error {
	err := unix.Mount(path, path, "", unix.MS_BIND|unix.MS_REC, "")
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	return unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|careful, "")
}

func hide(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return unix.Mount("tmpfs", path, "tmpfs", careful|unix.MS_RDONLY, "size=0k,nr_inodes=1")
	}
	return unix.Mount("/dev/null", path, "", unix.MS_BIND, "")
}
