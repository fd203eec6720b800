package ingress

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
)

func TestCanaryGetsItsShareAndIsMeasured(t *testing.T) {
	t.Parallel()
	p := start(t)
	var toCanary, toStable atomic.Int64
	bad := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if toCanary.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	good := serve(t, func(http.ResponseWriter, *http.Request) { toStable.Add(1) })
	s := site("web", "", "/", good, good, bad)
	s.Backends[2].Canary, s.Measured = true, true

	for _, weight := range []int{10, 33, 50, 0, 100} {
		s.CanaryWeight = weight
		p.load(s)
		toCanary.Store(0)
		toStable.Store(0)
		base, err := p.router.Measure(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 200; n++ {
			_, _ = p.get("h", "/")
			if got := int(toCanary.Load()); got*100 > n*weight {
				t.Fatalf("weight %d: %d of the first %d requests", weight, got, n)
			}
		}
		want := 2 * weight
		if got := int(toCanary.Load()); got != want {
			t.Errorf("weight %d: %d of 200 requests", weight, got)
		}
		eventually(t, "all are counted", func() error {
			now, err := p.router.Measure(t.Context(), s)
			if err != nil {
				return err
			}
			canary, stable := now.Canary.Since(base.Canary), now.Stable.Since(base.Stable)
			if canary.Requests != want || canary.Errors != want/2 || stable.Requests != 200-want || stable.Errors != 0 {
				return fmt.Errorf("canary %+v, stable %+v", canary, stable)
			}
			if n := len(canary.Latency); want > 0 && (n < 5 || canary.Latency[n-1].UpTo != 0 || canary.Latency[n-1].Count != want) {
				return fmt.Errorf("latency %+v", canary.Latency)
			}
			return nil
		})
	}
}

func TestSlowCanaryIsSeen(t *testing.T) {
	t.Parallel()
	p := start(t)
	waits := make(chan struct{})
	slow := serve(t, func(http.ResponseWriter, *http.Request) { <-waits })
	s := site("web", "", "/", called(t, "stable"), slow)
	s.Backends[1].Canary, s.CanaryWeight = true, 100
	s.Route.Timeout = "400ms"
	p.load(s)
	if resp, _ := p.get("h", "/"); resp.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("got %d", resp.StatusCode)
	}
	close(waits)
	eventually(t, "the proxy's own failures are counted", func() error {
		now, err := p.router.Measure(t.Context(), s)
		if err != nil {
			return err
		}
		if now.Canary.Requests != 1 || now.Canary.Errors != 1 {
			return fmt.Errorf("%+v", now)
		}
		return nil
	})
}

func TestSinceAChangeCountsAnew(t *testing.T) {
	t.Parallel()
	was := Count{Requests: 10, Errors: 3, Latency: []Bucket{{UpTo: 1, Count: 4}, {Count: 10}}}
	is := Count{Requests: 12, Errors: 3, Latency: []Bucket{{UpTo: 1, Count: 5}, {Count: 12}}}
	d := is.Since(was)
	if d.Requests != 2 || d.Errors != 0 || d.Latency[0].Count != 1 || d.Latency[1].Count != 2 {
		t.Errorf("got %+v", d)
	}
	if d := was.Since(is); d.Requests != 10 || d.Latency[1].Count != 10 {
		t.Errorf("after it began at zero: %+v", d)
	}
}
