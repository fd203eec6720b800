package ingress

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// Upstream is where sites lead or led.
type Upstream struct {
	Address     string // as in Backend
	Connections bool   // a TCP site does
}

// Busy reports whether anything is under way to one of the upstreams: requests,
// what they became, such as websockets, and the connections of TCP sites. Those
// to a socket are for the node to tell.
func (c *Client) Busy(ctx context.Context, upstreams []Upstream) (bool, error) {
	if c.component != Router || len(upstreams) == 0 {
		return false, nil
	}
	requests, err := c.requests(ctx)
	if err != nil {
		return false, err
	}
	var connections []string
	for _, u := range upstreams {
		if requests[bare(u.Address)] > 0 {
			return true, nil
		}
		if u.Connections && bare(u.Address) == u.Address {
			connections = append(connections, u.Address)
		}
	}
	return c.connected(ctx, connections)
}

// requests counts those that are under way by address. One that is not there has
// none.
func (c *Client) requests(ctx context.Context) (map[string]int, error) {
	r, err := c.command(ctx, http.MethodGet, adminPath+"/reverse_proxy/upstreams", nil)
	if err != nil {
		return nil, err
	}
	if r.status != http.StatusOK {
		return nil, refused(r)
	}
	var upstreams []struct {
		Address  string `json:"address"`
		Requests int    `json:"num_requests"`
	}
	if err := json.Unmarshal(r.body, &upstreams); err != nil {
		return nil, err
	}
	all := map[string]int{}
	for _, u := range upstreams {
		all[bare(u.Address)] += u.Requests
	}
	return all, nil
}

// bare is an address as Caddy tells it: that of a socket with or without its
// network in front.
func bare(address string) string { return strings.TrimPrefix(address, "unix/") }
