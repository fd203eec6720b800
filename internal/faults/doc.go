// Package faults tests what becomes of deployments when a Docker Engine, or
// something around it, fails in the middle of a rollout: with a real store and
// real Engines, but without Terraform. See docs/guides/failures.md for the
// promises.
package faults
