// Package meter reads from /proc what processes cost. There is no other way to
// ask for a supervisor that nobody waits for, or for a process while it lives.
package meter
