package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/probe"
)

// startTimeout bounds how long a supervisor may take to begin; it takes some 50 ms.
const startTimeout = 30 * time.Second

// spawn starts this binary, detached, as first process of new namespaces and waits
// until it tells that it began. Nothing of our environment goes with it: it would
// stay readable in the supervisor for months.
func (d *Driver) spawn(ctx context.Context, dir, logFile string) (*os.Process, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd := exec.Command(d.Executable[0], append(d.Executable[1:len(d.Executable):len(d.Executable)], dir)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{write} // becomes readyFD
	if cmd.SysProcAttr, err = namespaces(); err != nil {
		write.Close()
		return nil, err
	}
	if logFile != "" {
		log, err := openLog(logFile)
		if err != nil {
			write.Close()
			return nil, err
		}
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
	}
	err = cmd.Start()
	write.Close()
	if err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil, fmt.Errorf("starting a supervisor: %w", err)
		}
		return nil, probe.Explain(err)
	}
	go func() { _ = cmd.Wait() }() // it may outlive this process; while that lives, it must not stay a zombie
	if err := d.awaitReady(ctx, read); err != nil {
		_ = cmd.Process.Kill()
		return nil, err
	}
	return cmd.Process, nil
}

func (d *Driver) awaitReady(ctx context.Context, read *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = read.SetReadDeadline(time.Unix(1, 0)) })()
	text, err := io.ReadAll(read)
	if ctx.Err() != nil {
		return &engine.Error{Class: engine.ErrUnavailable, Reason: "a supervisor did not start in time", Err: ctx.Err()}
	}
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return nil
	}
	var failure control.Failure
	if err := json.Unmarshal(text, &failure); err != nil {
		return fmt.Errorf("a supervisor began with %q: %w", text, err)
	}
	return failure.Err()
}

// maxSupervisorLog is the size at which the supervisor's own log begins anew.
const maxSupervisorLog = 1 << 20

func openLog(path string) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > maxSupervisorLog {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o600)
}

// namespaces asks for a detached process in namespaces of its own. Root takes all
// its users along, anybody else is the only user there, and root.
func namespaces() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		return attr, nil
	}
	attr.GidMappingsEnableSetgroups = true
	var err error
	if attr.UidMappings, err = identity("/proc/self/uid_map"); err != nil {
		return nil, err
	}
	attr.GidMappings, err = identity("/proc/self/gid_map")
	return attr, err
}

// identity maps every id that exists here to itself.
func identity(mapFile string) ([]syscall.SysProcIDMap, error) {
	text, err := os.ReadFile(mapFile)
	if err != nil {
		return nil, err
	}
	var all []syscall.SysProcIDMap
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var first, outside, size int
		if _, err := fmt.Sscan(line, &first, &outside, &size); err != nil {
			return nil, fmt.Errorf("reading %s: %w", mapFile, err)
		}
		all = append(all, syscall.SysProcIDMap{ContainerID: first, HostID: first, Size: size})
	}
	return all, nil
}
