package main

import (
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

func wantLines(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, want := range lines {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, got)
		}
	}
}

func TestRuntimes(t *testing.T) {
	got := runtimes()
	if lines := strings.Count(got, "\n") + 1; lines != len(catalog.Runtimes)+2 {
		t.Errorf("%d lines for %d rows", lines, len(catalog.Runtimes))
	}
	wantLines(t, got, "\n| `image` | yes | yes |\n", "\n| `volumes.<name>.size` | no: ",
		"\n| `init` | no: local nodes have no init to put in front | yes |\n", "| partly: within the node's allowed_host_paths |\n")
}

func TestPodman(t *testing.T) {
	got := podman()
	wantLines(t, got, "- `snapshot` on a volume is refused by the plan: ", ";\n- ")
	if lines := strings.Count(got, "\n") + 1; lines != len(catalog.Podman) || !strings.HasSuffix(got, ".") {
		t.Errorf("%d lines for %d differences:\n%s", lines, len(catalog.Podman), got)
	}
}

// Every verb and status is in the guide, and every reason is given once.
func TestRules(t *testing.T) {
	got := rules()
	wantLines(t, got, "| Its revision | edit | deploy | roll back | copy | add child | remove | destroy |\n",
		"| (never deployed) | yes | yes | no (", "| `downgraded` | no (", "- *copy* when its status is `deprecated`: no: it is deprecated")
	if rows := strings.Count(got, "\n| `"); rows != 3*(len(catalog.RevisionStatuses)-1) {
		t.Errorf("%d rows", rows)
	}
	for _, r := range catalog.Rules {
		simple := r.Product == "simple" && r.Type == "incremental" // there is none such
		if n := strings.Count(got, r.Reason); n != 1 && r.Verb != catalog.Simplify && !simple {
			t.Errorf("%q is said %d times", r.Reason, n)
		}
	}
}

func TestFill(t *testing.T) {
	var b strings.Builder
	if err := fill(&b, "before\n<!-- rules -->\nafter\n"); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.HasPrefix(got, "before\nAn incremental") || !strings.HasSuffix(got, "\nafter\n") || strings.Contains(got, "<!--") {
		t.Errorf("filled: %s", got)
	}
	if err := fill(&b, "<!-- nothing -->"); err == nil {
		t.Error("a marker of nothing was taken")
	}
}
