// Package testdocker runs Docker Engines for tests: each with its own data, socket
// and address pool, apart from any other on the machine and from each other. It
// needs dockerd, and root.
package testdocker
