package rollout

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Sample is what a proxy counted of the answers of new instances, since it got
// its configuration.
type Sample struct {
	Requests int // answered
	Errors   int // of them with 5xx, the proxy's own included
	Latency  []Bucket
}

// Bucket counts the answers that took at most so long, those of smaller buckets
// included. The last one has no limit, 0.
type Bucket struct {
	UpTo  time.Duration
	Count int
}

// Since is what was counted after base, an earlier sample. A proxy begins at zero
// when its configuration changes: then it is what was counted since that.
func (s Sample) Since(base Sample) Sample {
	if s.Requests < base.Requests {
		return s
	}
	return s.add(base, -1)
}

// Plus adds what was counted at another time, or elsewhere.
func (s Sample) Plus(o Sample) Sample { return s.add(o, 1) }

func (s Sample) add(o Sample, sign int) Sample {
	sum := Sample{Requests: s.Requests + sign*o.Requests, Errors: s.Errors + sign*o.Errors}
	counts := map[time.Duration]int{}
	for _, b := range s.Latency {
		counts[b.UpTo] += b.Count
	}
	for _, b := range o.Latency {
		counts[b.UpTo] += sign * b.Count
	}
	for limit, n := range counts {
		sum.Latency = append(sum.Latency, Bucket{UpTo: limit, Count: n})
	}
	slices.SortFunc(sum.Latency, func(a, b Bucket) int { return cmp.Compare(a.reach(), b.reach()) })
	return sum
}

// reach is the bucket's limit for comparisons.
func (b Bucket) reach() time.Duration {
	if b.UpTo == 0 {
		return math.MaxInt64
	}
	return b.UpTo
}

// slowShare of the answers may take longer than max_latency says.
const slowShare = 0.05

// verdict says in what a canary does worse than is allowed, "" when in nothing.
// Fewer than min_requests say nothing.
func (c Canary) verdict(s Sample) string {
	if s.Requests < max(c.MinRequests, 1) {
		return ""
	}
	if rate := float64(s.Errors) / float64(s.Requests); rate > c.MaxErrorRate {
		return fmt.Sprintf("%d of %d answers were errors (5xx), %.1f %%; max_error_rate allows %.1f %%", s.Errors, s.Requests, 100*rate, 100*c.MaxErrorRate)
	}
	if slow := s.slower(c.MaxLatency); c.MaxLatency > 0 && float64(slow) > slowShare*float64(s.Requests) {
		return fmt.Sprintf("%d of %d answers took longer than max_latency, %s; one of twenty may", slow, s.Requests, c.MaxLatency)
	}
	return ""
}

// slower counts the answers that certainly took longer than the limit: those
// above the smallest bucket that reaches it.
func (s Sample) slower(limit time.Duration) int {
	within := 0
	for _, b := range s.Latency {
		within = b.Count
		if b.reach() >= limit {
			break
		}
	}
	return max(0, s.Requests-within)
}
