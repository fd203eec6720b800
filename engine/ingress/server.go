package ingress

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
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

// answer is a short answer of the proxy itself. The connection ends with it: else
// the router would wait for a body that the front only sends when it is asked to.
func answer(status, text string, headers ...string) object {
	all := object{ownAnswer: []string{status}, "Content-Type": []string{"text/plain; charset=utf-8"}}
	for i := 0; i+1 < len(headers); i += 2 {
		all[headers[i]] = []string{headers[i+1]}
	}
	return object{"handler": "static_response", "status_code": status, "headers": all, "body": status + " " + text + "\n", "close": true}
}

// nobody answers what no site is meant by; empty answers a site without an
// instance.
var (
	nobody = object{"handle": []object{answer("404", http.StatusText(http.StatusNotFound))}}
	empty  = answer("503", http.StatusText(http.StatusServiceUnavailable), "Retry-After", "5")
)

// literal keeps Caddy from reading placeholders in what a user wrote: they could
// name what is in the proxy's environment and files.
func literal(s string) string {
	return strings.NewReplacer("{", `\{`, "}", `\}`).Replace(s)
}

// socket is a socket by which the proxy speaks to itself.
func (p place) socket(name string) string { return fmt.Sprintf("unix/%s/%s.sock", p.sockets, name) }
