package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// rules is the table of what is allowed, by type and status of a version, with
// the reasons below it.
func rules() string {
	var notes notes
	var b strings.Builder
	for _, kind := range []struct{ title, product, version string }{
		{"An incremental version", engine.ProductComplex, engine.VersionIncremental},
		{"A rolling version", engine.ProductComplex, engine.VersionRolling},
		{"The version of a simple product", engine.ProductSimple, engine.VersionRolling},
	} {
		fmt.Fprintf(&b, "%s:\n\n| Its revision |", kind.title)
		for _, verb := range verbs() {
			fmt.Fprintf(&b, " %s |", verb)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(verbs())) + "\n")
		for _, status := range catalog.RevisionStatuses {
			fmt.Fprintf(&b, "| %s |", nameOf(status))
			for _, verb := range verbs() {
				rule := catalog.Decide(catalog.Case{Verb: verb, Product: kind.product, Type: kind.version, Status: status})
				fmt.Fprintf(&b, " %s |", notes.cell(rule))
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	for i, note := range notes {
		fmt.Fprintf(&b, "%d. The version %s.\n", i+1, note)
	}
	b.WriteString("\nWhatever the status:\n\n")
	for _, r := range catalog.Rules {
		if r.Given != "" {
			fmt.Fprintf(&b, "- *%s* when %s: %s%s.\n", r.Verb, r.Given, yesNo(r), r.Reason)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// verbs are those that concern a version.
func verbs() []catalog.Verb {
	return slices.DeleteFunc(slices.Clone(catalog.Verbs), func(v catalog.Verb) bool { return v == catalog.Simplify })
}

func nameOf(status engine.RevisionStatus) string {
	if status == catalog.RevisionNone {
		return "(never deployed)"
	}
	return "`" + string(status) + "`"
}

// notes are reasons, numbered in the order in which the table gives them.
type notes []string

func (n *notes) cell(r catalog.Rule) string {
	word := strings.TrimSuffix(yesNo(r), ": it ")
	if r.Reason == "" {
		return word
	}
	at := slices.Index(*n, r.Reason)
	if at < 0 {
		at = len(*n)
		*n = append(*n, r.Reason)
	}
	return fmt.Sprintf("%s (%d)", word, at+1)
}

func yesNo(r catalog.Rule) string {
	if r.Allowed {
		return "yes: it "
	}
	return "no: it "
}
