package ingress

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sample is what the proxy counted of a measured site since its configuration
// last changed: any change, of any site, begins at zero.
type Sample struct{ Canary, Stable Count }

// Count is of the answers of one half.
type Count struct {
	Requests int // answered
	Errors   int // of them with 5xx, the proxy's own included
	Latency  []Bucket
}

// Bucket counts the answers that began within so long, those of smaller buckets
// included. The last one has no limit, 0.
type Bucket struct {
	UpTo  time.Duration
	Count int
}

// Measure tells what the proxy counted of a site. It counts nothing of a site
// that is not measured.
func (c *Client) Measure(ctx context.Context, s Site) (Sample, error) {
	if c.component != Router {
		return Sample{}, nil
	}
	r, err := c.command(ctx, http.MethodGet, adminPath+"/metrics", nil)
	if err != nil {
		return Sample{}, err
	}
	if r.status != http.StatusOK {
		return Sample{}, refused(r)
	}
	halves := measurements(r.body)
	return Sample{Canary: halves[s.half(canaryHalf)].count(), Stable: halves[s.half(stableHalf)].count()}, nil
}

// Since is what was counted after base; when it began at zero in between, what
// was counted since then.
func (c Count) Since(base Count) Count {
	if c.Requests < base.Requests {
		return c
	}
	d := Count{Requests: c.Requests - base.Requests, Errors: max(0, c.Errors-base.Errors)}
	for i, b := range c.Latency {
		if i < len(base.Latency) {
			b.Count -= base.Latency[i].Count
		}
		d.Latency = append(d.Latency, b)
	}
	return d
}

// tally is one server's histogram of times to the first byte, over all methods.
type tally struct {
	requests, errors int
	buckets          map[float64]int
}

func (t *tally) count() Count {
	if t == nil {
		return Count{}
	}
	c := Count{Requests: t.requests, Errors: t.errors}
	for limit, n := range t.buckets {
		b := Bucket{Count: n}
		if !math.IsInf(limit, 1) {
			b.UpTo = time.Duration(limit * float64(time.Second))
		}
		c.Latency = append(c.Latency, b)
	}
	slices.SortFunc(c.Latency, func(a, b Bucket) int { return cmp.Compare(order(a), order(b)) })
	return c
}

func order(b Bucket) int {
	if b.UpTo == 0 {
		return math.MaxInt
	}
	return int(b.UpTo)
}

// Histograms of Caddy: how long the whole answer took, which also failures of its
// own are in, and how long its beginning.
const (
	wholeAnswers = "caddy_http_request_duration_seconds_count"
	firstBytes   = "caddy_http_response_duration_seconds_bucket"
)

var label = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)

// measurements reads Prometheus's text format, by server.
func measurements(text []byte) map[string]*tally {
	all := map[string]*tally{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), "{")
		if name != wholeAnswers && name != firstBytes {
			continue
		}
		end := strings.LastIndex(rest, "} ")
		if end < 0 {
			continue
		}
		value, err := strconv.ParseFloat(rest[end+2:], 64)
		if err != nil {
			continue
		}
		labels := map[string]string{}
		for _, l := range label.FindAllStringSubmatch(rest[:end], -1) {
			labels[l[1]] = l[2]
		}
		t := all[labels["server"]]
		if t == nil {
			t = &tally{buckets: map[float64]int{}}
			all[labels["server"]] = t
		}
		t.add(name, labels, int(value))
	}
	return all
}

func (t *tally) add(name string, labels map[string]string, n int) {
	switch {
	case labels["handler"] != "reverse_proxy":
	case name == wholeAnswers:
		t.requests += n
		if strings.HasPrefix(labels["code"], "5") {
			t.errors += n
		}
	default:
		if limit, err := strconv.ParseFloat(labels["le"], 64); err == nil {
			t.buckets[limit] += n
		}
	}
}
