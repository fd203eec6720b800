// Package baredocker is what Docker nodes are measured against: it brings up
// containers with the calls to the Docker Engine that cannot be left out, and
// proves them with the engine's own gate. It keeps no books, looks at nothing
// that is there, and can neither replace nor find again what it made.
package baredocker
