// Package e2e tests the built provider as a user meets it: real terraform (or
// tofu, named by the environment variable TF) over a filesystem mirror, a real
// registry with a password, real images, and instances on this machine. It has
// tests only.
package e2e
