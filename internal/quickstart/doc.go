// Command quickstart plays the example in examples/quickstart on this machine,
// from a fresh clone and without an account anywhere: it makes the images of a
// small web application, serves them from a registry with a password on
// loopback, and lets Terraform (or OpenTofu) deploy, upgrade and break it.
//
// The provider itself is expected in a filesystem mirror that make builds; all
// that this program makes is under the run directory and, as Terraform has it,
// beside the example. The clean command removes both.
package main
