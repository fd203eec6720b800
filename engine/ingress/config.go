package ingress

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// object is a JSON object: its keys come out in order.
type object = map[string]any

// Config is the configuration with which a component of the ingress makes its
// part of all sites reachable. The front's is the same for all sites and
// certificates.
func Config(in Input, component string) ([]byte, error) {
	sites := slices.Clone(in.Sites)
	slices.SortFunc(sites, bySpecificity)
	if component == Front {
		return json.Marshal(in.place().around(in.frontApps()))
	}
	apps, err := in.routerApps(sites)
	if err != nil {
		return nil, err
	}
	return json.Marshal(in.place().around(apps))
}

// httpApp has the servers, and the one that the engine asks.
func (in Input) httpApp(servers object) object {
	servers[controlServer] = in.place().controlServer()
	return object{
		"http_port": httpPort(in.Node), "https_port": httpsPort(in.Node),
		"servers": servers, "metrics": object{},
	}
}

// bySpecificity puts in front what is asked first: the sites of one host, then
// those of wildcards, then those of any host; of each the longer path first.
func bySpecificity(a, b Site) int {
	return cmp.Or(
		cmp.Compare(hostClass(a.Route.Host), hostClass(b.Route.Host)),
		cmp.Compare(len(b.Route.Host), len(a.Route.Host)),
		cmp.Compare(len(prefix(b.Route)), len(prefix(a.Route))),
		strings.Compare(a.ID(), b.ID()),
	)
}

func hostClass(host string) int {
	switch {
	case host == "":
		return 2
	case strings.HasPrefix(host, "*."):
		return 1
	default:
		return 0
	}
}

func prefix(r engine.Route) string { return strings.TrimRight(r.PathPrefix, "/") }
