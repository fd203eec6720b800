package testdocker

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Calls stands between a client and an Engine, and counts what is asked.
type Calls struct {
	Host string // unix:///…, in place of the Engine's

	dir    string
	server *http.Server
	direct *http.Transport

	mu   sync.Mutex
	seen Counts
}

// Counts are numbers of calls by method and path, as "POST /containers/{}/start".
type Counts map[string]int

// CountCalls begins to count; Close ends it.
func CountCalls(socket string) (*Calls, error) {
	dir, err := os.MkdirTemp("/tmp", "slipway-calls-") // short: a socket's path is
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	c := &Calls{Host: "unix://" + path, dir: dir, seen: Counts{}}
	c.direct = &http.Transport{MaxIdleConnsPerHost: 64, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", socket)
	}}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "docker"}) },
		Transport:     c.direct,
		FlushInterval: -1, // events must not wait for more
		ErrorLog:      log.New(io.Discard, "", 0),
	}
	c.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.note(r.Method + " " + endpoint(r.URL.Path))
		proxy.ServeHTTP(w, r)
	})}
	go c.server.Serve(listener) //nolint:errcheck // it ends with Close
	return c, nil
}

func (c *Calls) note(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[call]++
}

// Take answers what was counted since the last time.
func (c *Calls) Take() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = Counts{}
	return seen
}

// Close ends the counting; connections that are open are cut.
func (c *Calls) Close() error {
	err := c.server.Close()
	c.direct.CloseIdleConnections()
	_ = os.RemoveAll(c.dir)
	return err
}

// Total is how many calls there were.
func (c Counts) Total() int {
	total := 0
	for _, n := range c {
		total += n
	}
	return total
}

// String lists the calls, the most frequent first.
func (c Counts) String() string {
	names := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		if c[a] != c[b] {
			return c[b] - c[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%d %s", c[name], name))
	}
	return strings.Join(parts, ", ")
}

var apiVersion = regexp.MustCompile(`^/v\d+\.\d+/`)

// endpoint is a path of the API without its version, and without the name of a
// thing, which may have slashes of its own.
func endpoint(path string) string {
	parts := strings.Split(strings.Trim(apiVersion.ReplaceAllString(path, "/"), "/"), "/")
	if len(parts) < 2 || slices.Contains([]string{"json", "create", "prune", "load"}, parts[1]) {
		return "/" + strings.Join(parts, "/")
	}
	if len(parts) == 2 {
		return "/" + parts[0] + "/{}"
	}
	return "/" + parts[0] + "/{}/" + parts[len(parts)-1]
}
