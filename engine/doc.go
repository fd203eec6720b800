// Package engine holds the words of Slipway: the domain types, the Service
// interface that every engine implements, and the typed errors it answers with.
//
// It does no I/O and knows nothing of Terraform. The rooms below it
// (catalog, plan, rollout, health, node, image, store) share these types;
// package core puts them together into a Service.
package engine
