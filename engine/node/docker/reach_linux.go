package docker

// reachesContainers: on Linux the bridge of a Docker Engine of this machine is an
// interface of this machine.
const reachesContainers = true
