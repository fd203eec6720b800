// Package control is the language between a driver and the supervisor of a
// deployment: framed JSON over a unix socket, one request and one reply a
// connection (a watch has many replies), with open files passed along.
package control
