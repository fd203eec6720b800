// Package rootfs puts the root file system of an instance together: overlay,
// volumes, files, names, /sys, /dev and /proc.
//
// It works on the calling thread alone, which must be locked, own its mount, ipc
// and uts namespaces and its file system state, and start its children in a new
// pid namespace.
//
// An image may hold any symbolic link, so every path of the instance is opened by
// package inside, and no /proc is there before the first process of the instance
// exists: /proc/1/root of any other one leads out. For the same reason the thread
// keeps the node's root until then, and the first process changes its own.
package rootfs
