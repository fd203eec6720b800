// Package testimage makes real images and real registries for tests and examples:
// static Go programs, programs of Debian packages, and an OCI registry on loopback
// that can be made to fail. What is built once is kept in the user's cache
// directory for the next run.
//
// Functions with a testing.TB end the test on failure, and skip it, saying how to
// enable it, when the machine lacks what they need. The others answer errors.
package testimage
