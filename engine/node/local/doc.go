// Package local runs instances on this machine, without Docker: a node.Driver over
// Linux namespaces, overlay file systems and control groups.
//
// Everything lies below one root directory:
//
//	images/            the image cache (package image/cache)
//	d/<id>/            the sandbox of one deployment: label, supervisor, instances, logs
//	v/<deployment>/    its named volumes, which outlive it
//	lock               lets one driver at a time start or remove a sandbox
//
// A deployment has one supervisor, a detached process of the engine's own binary
// (Supervise), which is the first process of a pid namespace: all that a
// deployment runs ends with it. Drivers find it again from disk; one that died is
// started again by the next Start or Route.
package local
