package ingress

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// InFlight counts the requests, and what they became, such as websockets, that are
// under way to each address that sites lead to or led to. An address that is not
// there has none. Connections of TCP sites are not counted.
func (c *Client) InFlight(ctx context.Context) (map[string]int, error) {
	if c.component != Router {
		return nil, nil
	}
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

// Busy reports whether anything is under way to the address.
func Busy(inFlight map[string]int, address string) bool { return inFlight[bare(address)] > 0 }

// bare is an address as Caddy tells it: that of a socket with or without its
// network in front.
func bare(address string) string { return strings.TrimPrefix(address, "unix/") }
