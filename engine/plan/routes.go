package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// routeChanges tells what becomes of a component's routes, which happens without
// touching its instances:
//
//	api: add route shop.acme.dev/api
//	api: change route shop.acme.dev/ (timeout, tls)
//	api: move route shop.acme.dev/ to shop.acme.dev/web (path_prefix)
//	api: remove route old.acme.dev/
func routeChanges(component string, prior, desired catalog.Effective) []string {
	was, want := prior.Component.Routes, desired.Component.Routes
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(overlay(prior.RouteHashes, desired.RouteHashes))) {
		if prior.RouteHashes[name] != desired.RouteHashes[name] {
			lines = append(lines, component+": "+routeChange(was, want, name))
		}
	}
	return lines
}

func routeChange(was, want map[string]engine.Route, name string) string {
	old, served := was[name]
	now, wanted := want[name]
	from, to := catalog.RoutePlace(old), catalog.RoutePlace(now)
	switch {
	case !wanted:
		return "remove route " + from
	case !served:
		return "add route " + to
	case from != to:
		return fmt.Sprintf("move route %s to %s (%s)", from, to, routeDifferences(old, now))
	default:
		return fmt.Sprintf("change route %s (%s)", to, routeDifferences(old, now))
	}
}

// routeDifferences names the attributes that differ; of routes that say the same
// it is the content of their secrets.
func routeDifferences(old, now engine.Route) string {
	was, want := routeAttributes(old), routeAttributes(now)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(overlay(was, want))) {
		if was[name] != want[name] {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return "secrets"
	}
	return strings.Join(all, ", ")
}

func routeAttributes(r engine.Route) map[string]string {
	c := catalog.Normalize(engine.Component{Routes: map[string]engine.Route{"": r}})
	return fields(c.Routes[""])
}
