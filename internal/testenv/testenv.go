// Package testenv reads what environment variables ask of tests.
package testenv

import (
	"os"
	"strconv"
	"testing"
)

// Number is the number in an environment variable, fallback when it is not set.
func Number(t testing.TB, variable string, fallback int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
