package catalog

import (
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// toldDifferences is how many differences a downgrade names one by one: as many
// as are read.
const toldDifferences = 10

// IsDowngrade reports whether the version that is wanted is an older one of the
// chain of that which serves.
func IsDowngrade(serving, wanted engine.Version) bool {
	return serving.ProductID == wanted.ProductID && wanted.Number > 0 && wanted.Number < serving.Number
}

// Downgrade tells people what goes away when a deployment goes back from the
// version that serves to an older one of its chain, "" when it does not. restored
// are the volumes whose data goes back with it.
func Downgrade(serving, wanted engine.Version, restored []string) string {
	if !IsDowngrade(serving, wanted) {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s goes back from %s to %s: the revisions of the newer version become downgraded. ",
		wanted.ProductID, serving.Name, wanted.Name)
	if len(restored) > 0 {
		fmt.Fprintf(&b, "Volumes get back the data that %s left in them, and a snapshot is kept of what %s wrote: %s. Other volumes keep their data.",
			wanted.Name, serving.Name, strings.Join(restored, ", "))
	} else {
		fmt.Fprintf(&b, "Volumes keep the data that %s wrote.", serving.Name)
	}
	all := Differences(serving, wanted)
	if len(all) == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "\n\nWhat goes away or changes back:")
	for i, d := range all {
		if i == toldDifferences {
			fmt.Fprintf(&b, "\n  - and %d more: the data source slipway_version_diff tells all", len(all)-i)
			break
		}
		fmt.Fprintf(&b, "\n  - %s", tellDifference(d))
	}
	return b.String()
}

func tellDifference(d engine.Difference) string {
	switch {
	case d.Attribute == "" && d.To == nil:
		return "the component " + d.Component + " goes away"
	case d.Attribute == "":
		return "the component " + d.Component + " comes back"
	case d.To == nil:
		return fmt.Sprintf("%s: %s goes away", d.Component, d.Attribute)
	case d.From == nil:
		return fmt.Sprintf("%s: %s comes back as %s", d.Component, d.Attribute, *d.To)
	default:
		return fmt.Sprintf("%s: %s from %s to %s", d.Component, d.Attribute, *d.From, *d.To)
	}
}
