// Package order is what the bare program is told.
package order

// Order is what to start.
type Order struct {
	Layers  []string `json:"layers"` // unpacked, lowest first
	Dir     string   `json:"dir"`    // an empty directory for the roots
	Command []string `json:"command"`
	Count   int      `json:"count"`
	Chain   bool     `json:"chain"` // one after the other: each when the one before is healthy
	Port    int      `json:"port"`  // of the http check
}

// Healthy is the line that says that all of the order is healthy.
const Healthy = "healthy"
