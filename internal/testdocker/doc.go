// Package testdocker gives tests a Docker Engine. Shared is for tests that do it no
// harm; New starts a private one, for tests that stop it, kill it or starve it. A
// private Engine has its own data, socket and address pool, apart from any other on
// the machine, changes no firewall rule, and ends with the test, also when that is
// killed. It needs dockerd, and root.
package testdocker
