// Package cgroup puts limits on the processes of an instance, with version 1 or 2
// of the kernel's control groups, wherever this user may make groups.
//
// Groups are made inside the group that the supervisor runs in (version 1) or at
// the root of the tree (version 2), so limits that somebody set around us hold on.
//
// The supervisor itself leaves the group of whoever started it, where it may. An
// ordinary user's stays: a service manager that ends all of a service's processes
// then ends the deployments that the service started.
package cgroup
