package ingress

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// The two halves of a measured site. Each is a server inside the proxy, because
// Caddy tells what it measures apart by server.
const (
	canaryHalf = "canary"
	stableHalf = "stable"
)

func (s Site) measured() bool {
	return s.Measured || slices.ContainsFunc(s.Backends, func(b Backend) bool { return b.Canary })
}

// half is the server of a half.
func (s Site) half(half string) string { return half + "/" + s.ID() }

// halves are the servers of a site that was measured: they serve what is under way
// to them, and get nothing more.
func (c *routing) halves(s Site) error {
	for _, half := range []string{canaryHalf, stableHalf} {
		if _, err := c.server(s, half, s.Backends); err != nil {
			return err
		}
	}
	return nil
}

// split hands requests to the halves, and makes those.
func (c *routing) split(s Site) (object, error) {
	canary := slices.DeleteFunc(slices.Clone(s.Backends), func(b Backend) bool { return !b.Canary })
	stable := slices.DeleteFunc(slices.Clone(s.Backends), func(b Backend) bool { return b.Canary })
	weight := min(max(s.CanaryWeight, 0), 100)
	// A half that has no instances gets nothing, but serves what was under way to it
	// when it lost them.
	switch {
	case len(canary) == 0:
		canary, weight = s.Backends, 0
	case len(stable) == 0:
		stable, weight = s.Backends, 100
	}
	toCanary, err := c.server(s, canaryHalf, canary)
	if err != nil {
		return nil, err
	}
	toStable, err := c.server(s, stableHalf, stable)
	return s.divide(toCanary, toStable, weight), err
}

// halfTries is how often a half is asked again.
const halfTries = 50

// server makes the server of a half, and answers how it is reached.
func (c *routing) server(s Site, half string, backends []Backend) (address string, err error) {
	proxy, err := proxyTo(s, backends)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(s.ID()))
	address = c.in.place().socket(half + "-" + hex.EncodeToString(sum[:8]))
	inside := serverAt(address, []object{{"handle": []object{proxy}}})
	inside["protocols"] = []string{"h1", "h2c"}
	c.servers[s.half(half)] = inside
	return address, nil
}

// divide gives the canary its percentage of the requests. The turns are spread
// out, so that after any number of requests the canary had no more than its share.
func (s Site) divide(canary, stable string, weight int) object {
	turns := 100 / gcd(weight, 100)
	weight = weight * turns / 100
	upstreams := make([]object, turns)
	for turn := 1; turn <= turns; turn++ {
		to := stable
		if turn*weight/turns > (turn-1)*weight/turns {
			to = canary
		}
		upstreams[turn%turns] = object{"dial": to} // Caddy's first turn is that of the second
	}
	cookie := ""
	if own := stickyCookie(s.Route); own != "" {
		cookie = own + "-half"
	}
	// Without connections that are kept none can close under a request.
	transport := object{"protocol": "http", "compression": false, "expect_continue_timeout": continueTimeout, "keep_alive": object{"enabled": false}}
	if s.Route.Protocol == engine.RouteH2C {
		transport["versions"] = []string{"h2c", "2"}
	} else {
		transport["versions"] = []string{"1.1"}
	}
	// A half drops what it has not read when the configuration changes, as the router
	// does to the front. It is sent again at once: Caddy waits for nothing any more
	// under a configuration that was replaced. Now another answers on the same socket.
	balancing := object{"selection_policy": choice(s, object{"policy": "round_robin"}, cookie), "retries": halfTries, "retry_match": anything}
	return object{
		"handler": "reverse_proxy", "transport": transport, "upstreams": upstreams,
		"load_balancing": balancing, "stream_close_delay": streamsOutlive.String(),
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
