// Package health proves that instances work: probes that carry out a check, the
// pure rule that turns results into a verdict, and the gate that a new instance
// passes before it receives traffic.
package health
