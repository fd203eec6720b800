// Package archtest keeps the arrows of the house pointing down: its tests fail
// when a package imports what its room must not see, when a pure room does I/O
// or reads the clock, and when a new package has no place yet.
//
// The house itself is the data in house.go; the map for readers is in
// CONTRIBUTING.md.
package archtest
