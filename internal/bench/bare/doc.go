// Command bare is what local nodes are measured against: it starts programs with
// nothing but the namespaces and the root that an instance has, and proves them
// with the engine's own gate. It keeps no books, has no network but loopback, and
// can neither replace nor restart nor find again what it started.
//
// It reads an Order from its input, says "healthy" once all of it is, and ends,
// with everything that it started, when its input ends.
package main
