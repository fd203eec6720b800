// Package catalog holds the pure rules about what is written down: components
// and their defaults, the canonical form and digest of a version, the chain of
// versions and its seal, and the effective configuration of a deployment.
//
// Nothing here does I/O or reads the clock. Every refusal is an *engine.Error,
// or several joined, with the dotted path of the field at fault.
package catalog
