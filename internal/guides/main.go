// Command guides writes a page for users: the one on its standard input, with
// tables of the catalog in the place of their markers, such as <!-- rules -->.
// A page without markers stays as it is.
package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
)

// tables are what markers stand for.
var tables = map[string]func() string{
	"runtimes": runtimes,
	"rules":    rules,
	"podman":   podman,
}

var marker = regexp.MustCompile(`<!-- ([a-z-]+) -->`)

func main() {
	page, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = fill(os.Stdout, string(page))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guides:", err)
		os.Exit(1)
	}
}

// fill puts the tables into the page.
func fill(w io.Writer, page string) error {
	var unknown error
	filled := marker.ReplaceAllStringFunc(page, func(found string) string {
		table, ok := tables[marker.FindStringSubmatch(found)[1]]
		if !ok {
			unknown = fmt.Errorf("nothing is known to put in the place of %s", found)
			return found
		}
		return table()
	})
	if unknown != nil {
		return unknown
	}
	_, err := io.WriteString(w, filled)
	return err
}
