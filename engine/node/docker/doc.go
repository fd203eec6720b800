// Package docker runs instances as containers of a Docker Engine, API 1.41 or
// newer: on this machine, over TCP with TLS, or over ssh.
//
// What the driver makes carries labels (see labels.go), and those are all that
// it goes by: a container, network or volume without them is never touched, and
// one of another engine is an error that names it.
//
// Every deployment has one network. An instance has its component's name there
// while it receives traffic. Published ports are the container's own, so that two
// instances cannot hold one at once: such components are replaced stop-first, and
// have one replica. A port that the node shall choose is chosen when the first
// instance is made, and its successors take it over.
//
// Docker keeps the environment of a container in its configuration, so that
// secrets given as environment can be read there by whoever may use the Docker
// Engine; secret files lie in the container's own layer. Both go with the
// container. After a rollout Docker itself supervises: it restarts what ends, and
// runs the first exec check of a component, or the image's own HEALTHCHECK.
package docker
