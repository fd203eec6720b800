package main

import (
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// runtimes is what each runtime honours of a component.
func runtimes() string {
	var b strings.Builder
	b.WriteString("| Attribute | `local` | `docker` |\n|---|---|---|\n")
	for _, row := range catalog.Runtimes {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.ReplaceAll(row.Path, "*", "<name>"), support(row.Local), support(row.Docker))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func support(s catalog.Support) string {
	switch s.Honour {
	case catalog.Yes:
		return "yes"
	case catalog.Partly:
		return "partly: " + s.Reason
	default:
		return "no: " + s.Reason
	}
}
