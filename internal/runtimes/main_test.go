package main

import (
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

func TestTable(t *testing.T) {
	got := table(catalog.Runtimes)
	if lines := strings.Count(got, "\n") + 1; lines != len(catalog.Runtimes)-len(later)+2 {
		t.Errorf("%d lines for %d rows", lines, len(catalog.Runtimes))
	}
	for _, want := range []string{"\n| `image` | yes | yes |\n", "\n| `volumes.<name>.size` | no: ", "\n| `init` | no: local nodes have no init to put in front | yes |\n", "| partly: within the node's allowed_host_paths |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, got)
		}
	}
}
