// Command runtimes writes the guide on what each runtime honours: the page on
// its standard input, with the table of the catalog in the place of the marker.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// marker stands in the page where the table goes.
const marker = "<!-- runtimes -->"

func main() {
	page, err := io.ReadAll(os.Stdin)
	if err == nil && strings.Count(string(page), marker) != 1 {
		err = fmt.Errorf("the page must hold %s once", marker)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "runtimes:", err)
		os.Exit(1)
	}
	fmt.Print(strings.Replace(string(page), marker, table(catalog.Runtimes), 1))
}

// later are attributes that the engine knows and the schema does not offer yet.
var later = []string{"volumes.*.snapshot"}

func table(rows []catalog.Attribute) string {
	var b strings.Builder
	b.WriteString("| Attribute | `local` | `docker` |\n|---|---|---|\n")
	for _, row := range rows {
		if slices.Contains(later, row.Path) {
			continue
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.ReplaceAll(row.Path, "*", "<name>"), cell(row.Local), cell(row.Docker))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func cell(s catalog.Support) string {
	switch s.Honour {
	case catalog.Yes:
		return "yes"
	case catalog.Partly:
		return "partly: " + s.Reason
	default:
		return "no: " + s.Reason
	}
}
