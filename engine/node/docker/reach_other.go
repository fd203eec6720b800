//go:build !linux

package docker

// reachesContainers: elsewhere containers run in a virtual machine, and only
// published ports lead into it.
const reachesContainers = false
