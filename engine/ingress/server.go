package ingress

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// ownAnswer marks what the proxy itself answers, with the status. A component
// cannot set it.
const ownAnswer = "X-Slipway-Ingress"

// server listens on a port on all addresses. Nothing about certificates and
// redirects is decided by Caddy itself.
func server(port int, routes []object) object {
	return serverAt(":"+strconv.Itoa(port), routes)
}

func serverAt(address string, routes []object) object {
	return object{
		"listen": []string{address}, "routes": routes,
		"automatic_https": object{"disable": true},
		"errors":          object{"routes": []object{{"handle": []object{answer("{http.error.status_code}", "{http.error.status_text}")}}}},
	}
}

// answer is a short answer of the proxy itself.
func answer(status, text string, headers ...string) object {
	all := object{ownAnswer: []string{status}, "Content-Type": []string{"text/plain; charset=utf-8"}}
	for i := 0; i+1 < len(headers); i += 2 {
		all[headers[i]] = []string{headers[i+1]}
	}
	return object{"handler": "static_response", "status_code": status, "headers": all, "body": status + " " + text + "\n"}
}

// nobody answers what no site is meant by; empty answers a site without an
// instance.
var (
	nobody = object{"handle": []object{answer("404", http.StatusText(http.StatusNotFound))}}
	empty  = answer("503", http.StatusText(http.StatusServiceUnavailable), "Retry-After", "5")
)

// redirect sends a visitor to HTTPS, by whatever name they came.
func (c *configuration) redirect() object {
	port := ""
	if p := httpsPort(c.in.Node); p != 443 {
		port = ":" + strconv.Itoa(p)
	}
	return answer("308", http.StatusText(http.StatusPermanentRedirect), "Location", "https://{http.request.host}"+port+"{http.request.uri}")
}

func prefix(r engine.Route) string { return strings.TrimRight(r.PathPrefix, "/") }

// matcher tells a site's requests from others. Paths are matched by an
// expression, because Caddy's own paths know no difference between a and A.
func matcher(r engine.Route) object {
	m := object{}
	if r.Host != "" {
		m["host"] = []string{r.Host}
	}
	if p := prefix(r); p != "" {
		m["path_regexp"] = object{"pattern": "^" + regexp.QuoteMeta(p) + "(/|$)"}
	}
	return m
}

// handlers serve a site.
func (c *configuration) handlers(s Site) ([]object, error) {
	if len(s.Backends) == 0 {
		return []object{empty}, nil
	}
	var all []object
	size, err := engine.ParseSize("max_body_size", s.Route.MaxBodySize, 0)
	if err != nil {
		return nil, err
	}
	if size > 0 {
		all = append(all, object{"handler": "request_body", "max_size": size})
	}
	if p := prefix(s.Route); s.Route.StripPrefix && p != "" {
		all = append(all, object{"handler": "rewrite", "strip_path_prefix": literal(p)})
	}
	if s.measured() {
		split, err := c.split(s)
		return append(all, split), err
	}
	proxy, err := proxyTo(s, s.Backends)
	return append(all, proxy), err
}

// literal keeps Caddy from reading placeholders in what a user wrote: they could
// name what is in the proxy's environment and files.
func literal(s string) string {
	return strings.NewReplacer("{", `\{`, "}", `\}`).Replace(s)
}

// socket is a socket by which the proxy speaks to itself.
func (p place) socket(name string) string { return fmt.Sprintf("unix/%s/%s.sock", p.sockets, name) }
