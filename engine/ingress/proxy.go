package ingress

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// A connection to an instance is kept for less time than the servers do that
// keep theirs shortly: else a request would be sent into one that closes.
const keepToInstance = time.Second

// streams end with their instance, which the engine stops, not with the
// configuration that they began under.
const streamsOutlive = 24 * time.Hour

// proxyTo hands requests of a site to some of its instances.
func proxyTo(s Site, to []Backend) (object, error) {
	r := s.Route
	transport, err := transportTo(r)
	if err != nil {
		return nil, err
	}
	var upstreams []object
	for _, b := range to {
		upstreams = append(upstreams, object{"dial": literal(b.Address)})
	}
	proxy := object{
		"handler": "reverse_proxy", "transport": transport, "upstreams": upstreams,
		"load_balancing":     balance(s, object{"policy": "round_robin"}, stickyCookie(r)),
		"stream_close_delay": streamsOutlive.String(),
		"headers":            headers(s),
	}
	if len(to) > 1 {
		// Of several, one that failed is left out just as long as it takes to try the
		// others: longer, and a request that a component cannot stand would take away
		// all of its instances.
		proxy["health_checks"] = object{"passive": object{"fail_duration": "250ms", "max_fails": 1}}
	}
	return proxy, nil
}

// choice is by policy, or by cookie where visitors come back to the same.
func choice(s Site, policy object, cookie string) object {
	if cookie == "" {
		return policy
	}
	return object{"policy": "cookie", "name": cookie, "secret": secretOf(s), "fallback": policy}
}

// balance spreads requests over instances. Only what could not be connected to is
// tried again: anything else may have been done already.
func balance(s Site, policy object, cookie string) object {
	return object{
		"selection_policy": choice(s, policy, cookie), "try_duration": "5s", "try_interval": "20ms",
		"retry_match": []object{{"not": []object{{}}}},
	}
}

func transportTo(r engine.Route) (object, error) {
	timeout, err := engine.ParseDuration("timeout", r.Timeout, 0)
	if err != nil {
		return nil, err
	}
	t := object{
		"protocol": "http", "compression": false, "dial_timeout": "2s",
		"keep_alive": object{"idle_timeout": keepToInstance.String(), "max_idle_conns_per_host": 256},
	}
	if timeout > 0 {
		t["response_header_timeout"] = timeout.String()
	}
	switch r.Protocol {
	case engine.RouteH2C:
		t["versions"] = []string{"h2c", "2"}
	case engine.RouteHTTPS:
		t["tls"] = object{"insecure_skip_verify": true}
		if hostClass(r.Host) == 0 {
			t["tls"] = object{"insecure_skip_verify": true, "server_name": r.Host}
		}
	default:
		t["versions"] = []string{"1.1"}
	}
	return t, nil
}

// headers are what a site changes, on the last way to the component and the first
// from it.
func headers(s Site) object {
	request, response := change(s.Route.RequestHeaders), change(s.Route.ResponseHeaders)
	response["delete"] = append(response["delete"].([]string), ownAnswer) //nolint:errcheck // as change makes it
	// These were set by the front, from what it saw of the visitor. A user's own win.
	passed := object{}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"} {
		if _, own := s.Route.RequestHeaders[name]; !own {
			passed[name] = []string{"{http.request.header." + name + "}"}
		}
	}
	maps.Copy(request["set"].(object), passed)                                      //nolint:errcheck // as change makes it
	request["delete"] = append(request["delete"].([]string), "Expect", tokenHeader) //nolint:errcheck // as change makes it
	return object{"request": request, "response": response}
}

func change(headers map[string]string) object {
	set, remove := object{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if value := headers[name]; value == "" {
			remove = append(remove, literal(name))
		} else {
			set[literal(name)] = []string{literal(value)}
		}
	}
	return object{"set": set, "delete": remove}
}

func stickyCookie(r engine.Route) string {
	switch {
	case r.Sticky == nil:
		return ""
	case r.Sticky.Cookie == "":
		return "slipway"
	default:
		return r.Sticky.Cookie
	}
}

// secretOf keeps the addresses of instances out of cookies; nothing else depends on it.
func secretOf(s Site) string {
	sum := sha256.Sum256([]byte("sticky " + s.ID()))
	return hex.EncodeToString(sum[:16])
}
