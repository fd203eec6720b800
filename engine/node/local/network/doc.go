// Package network is the user-mode network of one deployment on a local node.
//
// It needs no privilege over the host: a hub network namespace, owned by the
// caller's user namespace, holds a bridge that joins the instances; each
// instance has a network namespace of its own with one interface in that
// bridge. What leaves the deployment goes through a TCP/IP stack in this
// process, which dials from the host's namespace in the instances' stead.
//
//	10.88.0.1  gateway: the stack in this process
//	10.88.0.2  the hub: name server, and where published ports dial from
//	10.88.0.3  the host's loopback, host.slipway.internal
//	10.88.0.16 and up: instances
//
// Every deployment uses the same addresses: they never meet.
//
// The caller must have CAP_NET_ADMIN and CAP_NET_RAW in its user namespace,
// which a process in a new user namespace has, and see a writable /proc/sys/net.
package network
