package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of go test -json; see `go doc test2json`.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// tally collects what the summary needs.
type tally struct {
	out              io.Writer
	output           map[string][]string // by package and test, until it is known whether it matters
	passed, failures int
	failedPackages   int
	skipped          map[string][]string // names by reason
}

// report copies the ordinary lines to out and answers whether anything failed.
func report(in io.Reader, out io.Writer) (bool, error) {
	t := &tally{out: out, output: map[string][]string{}, skipped: map[string][]string{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			t.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return true, err
		}
	}
	t.summary()
	return t.failures > 0 || t.failedPackages > 0, nil
}

// line takes one event; what is none (a message of go itself) is shown as it is.
func (t *tally) line(line []byte) {
	var e event
	if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &e) != nil {
		fmt.Fprintf(t.out, "%s", line)
		return
	}
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		fmt.Fprint(t.out, e.Output)
	case e.Action == "output" && e.Test == "":
		t.packageOutput(e.Output)
	case e.Action == "output" && strings.HasPrefix(e.Output, "=== "):
		// go test shows these with -v only.
	case e.Action == "output":
		t.output[key] = append(t.output[key], e.Output)
	case e.Action == "fail" && e.Test == "":
		t.failedPackages++
		t.unfinished(e.Package)
	case e.Action == "fail":
		t.failures++
		t.show(key)
	case e.Action == "skip" && e.Test != "":
		reason := t.reason(key)
		t.skipped[reason] = append(t.skipped[reason], e.Test)
	case e.Action == "pass" && e.Test != "":
		t.passed++
		delete(t.output, key)
	}
}

// packageOutput shows a package's own lines, but for the PASS before its ok.
func (t *tally) packageOutput(line string) {
	if line != "PASS\n" && line != "testing: warning: no tests to run\n" {
		fmt.Fprint(t.out, line)
	}
}

// show prints what a test said.
func (t *tally) show(key string) {
	fmt.Fprint(t.out, strings.Join(t.output[key], ""))
	delete(t.output, key)
}

// unfinished prints what the tests said that a crash or a timeout cut off.
func (t *tally) unfinished(pkg string) {
	var keys []string
	for key := range t.output {
		if strings.HasPrefix(key, pkg+" ") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		t.show(key)
	}
}

// reason is what the test said before it skipped, without go test's own lines.
func (t *tally) reason(key string) string {
	var said []string
	for _, line := range t.output[key] {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "--- ") {
			continue
		}
		if _, text, found := strings.Cut(line, ".go:"); found {
			_, line, _ = strings.Cut(text, ": ") // file.go:12: text
		}
		said = append(said, line)
	}
	delete(t.output, key)
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}

// summary says how many tests there were, and what would have to be there for
// those that were skipped.
func (t *tally) summary() {
	skips := 0
	for _, names := range t.skipped {
		skips += len(names)
	}
	fmt.Fprintf(t.out, "\n%d tests passed, %d failed, %d skipped\n", t.passed, t.failures, skips)
	reasons := make([]string, 0, len(t.skipped))
	for reason := range t.skipped {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		slices.Sort(t.skipped[reason])
		fmt.Fprintf(t.out, "  skipped: %s\n           %s\n", reason, strings.Join(t.skipped[reason], ", "))
	}
}
