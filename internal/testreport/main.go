// Command testreport reads `go test -json` and shows what go test would have
// shown without it (a line a package, the whole output of what failed), then
// says what was skipped and why, since a skipped test proves nothing.
//
//	go test -json ./... | go run ./internal/testreport
//
// It ends with 1 when anything failed.
package main

import (
	"fmt"
	"os"
)

func main() {
	failed, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}
