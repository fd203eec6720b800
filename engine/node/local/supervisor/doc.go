// Package supervisor is the one process that keeps a deployment's instances on a
// local node: it starts and restarts them, carries their traffic, and answers
// drivers over the control socket.
//
// It is the first process of a pid namespace of its own: when it dies, the kernel
// ends every process of the deployment, and with them their mounts and network
// namespaces go. Nothing can be left behind.
package supervisor
