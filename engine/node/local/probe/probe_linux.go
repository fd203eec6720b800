// Package probe tries, in a process like a supervisor, whether the kernel lets
// this user do what local nodes need.
package probe

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
)

const markFile = "probe"

// Mark makes dir one that Run tries things in.
func Mark(dir string) error {
	return os.WriteFile(filepath.Join(dir, markFile), nil, 0o600)
}

// Wanted reports whether dir was marked.
func Wanted(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, markFile))
	return err == nil
}

// Run tries everything and tells on ready what failed, as a control.Failure; or nothing.
func Run(dir string, ready *os.File) error {
	defer ready.Close()
	if err := try(dir); err != nil {
		return json.NewEncoder(ready).Encode(control.Fail(err))
	}
	return nil
}

func try(dir string) error {
	runtime.LockOSThread()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return refused("to leave the machine's mounts", err, userNamespaceHint())
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return refused("a new /proc", err, "parts of /proc are hidden here, as in most containers: run the engine outside of them, or use a docker node")
	}
	for _, name := range []string{"l", "u", "w", "m"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := unix.Chdir(dir); err != nil {
		return err
	}
	if err := unix.Mount("overlay", "m", "overlay", 0, "userxattr,lowerdir=l,upperdir=u,workdir=w"); err != nil {
		return refused("an overlay file system below "+filepath.Dir(dir), err,
			"put the node's root on a file system such as ext4, xfs, btrfs or tmpfs; Linux 5.11 or newer is needed")
	}
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS); err != nil {
		return refused("a network namespace", err, "raise the sysctls user.max_net_namespaces, user.max_ipc_namespaces and user.max_uts_namespaces")
	}
	return nil
}

func refused(what string, err error, hint string) error {
	return &engine.Error{Class: engine.ErrUnavailable, Reason: "the kernel refused " + what, Err: err, Hint: hint}
}

// Explain turns the failure to start a process in new namespaces into an error with the remedy.
func Explain(err error) error {
	return refused("user, pid and mount namespaces", err, userNamespaceHint())
}

func userNamespaceHint() string {
	for _, s := range []struct{ file, bad, hint string }{
		{"/proc/sys/user/max_user_namespaces", "0", "set the sysctl user.max_user_namespaces to 15000 or so"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0", "set the sysctl kernel.unprivileged_userns_clone to 1, or run the engine as root"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0, give the engine's binary an AppArmor profile that allows userns, or run the engine as root"},
	} {
		text, err := os.ReadFile(s.file)
		var value string
		if err == nil {
			_, _ = fmt.Sscan(string(text), &value)
		}
		if value == s.bad {
			return s.hint
		}
	}
	return "run the engine outside of a container that forbids user namespaces, or use a docker node"
}
