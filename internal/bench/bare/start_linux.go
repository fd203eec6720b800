package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/bare/order"
)

// program is one that was started, and the network it is alone in.
type program struct {
	process *os.Process
	network *os.File
}

// start mounts a root of its own for one program and executes it in new namespaces.
func start(o order.Order, number int) (*program, error) {
	root, err := mountRoot(o, number)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	process, err := os.StartProcess(o.Command[0], o.Command, &os.ProcAttr{
		Dir: "/", Env: []string{"PATH=/"}, Files: []*os.File{null, null, null},
		Sys: &syscall.SysProcAttr{
			Chroot: root, Setsid: true, UidMappings: ids, GidMappings: ids,
			Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS |
				unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET,
		},
	})
	if err != nil {
		return nil, err
	}
	network, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", process.Pid))
	if err != nil {
		return nil, err
	}
	return &program{process: process, network: network}, inNetwork(network, loopbackUp)
}

func mountRoot(o order.Order, number int) (string, error) {
	dir := filepath.Join(o.Dir, strconv.Itoa(number))
	upper, work, merged := filepath.Join(dir, "u"), filepath.Join(dir, "w"), filepath.Join(dir, "m")
	for _, d := range []string{upper, work, merged} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", err
		}
	}
	lower := slices.Clone(o.Layers)
	slices.Reverse(lower) // overlayfs wants the highest first
	options := fmt.Sprintf("userxattr,lowerdir=%s,upperdir=%s,workdir=%s", strings.Join(lower, ":"), upper, work)
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return "", fmt.Errorf("mounting the image: %w", err)
	}
	return merged, nil
}
