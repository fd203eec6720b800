package supervisor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// unrouted is how often a check looks whether its instance takes traffic by now:
// before that the rollout does the checking.
const unrouted = 500 * time.Millisecond

// check goes on with one check of the instance for as long as this life lasts.
func (i *instance) check(name string, c engine.HealthCheck, done <-chan struct{}) {
	interval, err1 := engine.ParseDuration("interval", c.Interval, 10*time.Second)
	timeout, err2 := engine.ParseDuration("timeout", c.Timeout, 5*time.Second)
	grace, err3 := engine.ParseDuration("start_period", c.StartPeriod, 0)
	if err1 != nil || err2 != nil || err3 != nil {
		return // refused when the version was made
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-done
		cancel()
	}()
	var results []health.Result
	for ctx.Err() == nil {
		wait := unrouted
		if started, ready := i.ready(); ready {
			wait = interval
			r := health.Probe(ctx, target{i}, i.ports(), c, timeout)
			if since, still := i.ready(); !still || since != started || (!r.OK && i.s.now().Sub(started) < grace) {
				results = nil // an end, or a start: neither says anything of health
			} else {
				results = append(results, r)
				results = results[max(0, len(results)-c.Window):]
			}
			if i.judge(name, c, results) {
				results = nil
			}
		} else {
			results = nil
			i.judge(name, c, results)
		}
		select {
		case <-i.s.after(wait):
		case <-done:
		}
	}
}

// ready reports whether the instance runs and takes traffic, and since when it runs.
func (i *instance) ready() (started time.Time, ready bool) {
	i.mu.Lock()
	running := i.status.State == node.Running
	started = i.status.StartedAt
	i.mu.Unlock()
	return started, running && i.s.traffic.routed(i.place.Name())
}

func (i *instance) ports() map[string]engine.Port { return i.record.Spec.Component.Ports }

// judge keeps the verdict of one check, and says whether the instance was healed for it.
func (i *instance) judge(name string, c engine.HealthCheck, results []health.Result) (healed bool) {
	v := verdict{state: health.Judge(results, c.Window, c.Threshold)}
	if len(results) > 0 {
		v.message = fmt.Sprintf("check %s: %s", name, results[len(results)-1].Message)
	}
	i.mu.Lock()
	i.verdicts[name] = v
	if v.state == health.OK {
		i.healed = false
	}
	i.mu.Unlock()
	return v.state == health.Anomaly && c.OnAnomaly == "heal" && i.heal(v.message)
}

// verdict is what one check says.
type verdict struct {
	state   health.Verdict
	message string
}

// worst sums up: an anomaly outweighs a failure, and that outweighs not knowing.
// Without checks an instance is ok as long as it runs.
func worst(verdicts map[string]verdict, running bool) verdict {
	weight := map[health.Verdict]int{health.OK: 1, health.Unknown: 2, health.Failing: 3, health.Anomaly: 4}
	sum := verdict{state: health.Unknown}
	if running {
		sum.state = health.OK
	}
	heaviest := 0
	for _, v := range verdicts {
		if weight[v.state] > heaviest {
			heaviest, sum = weight[v.state], v
		}
	}
	return sum
}

// startChecks begins the checks of a new life.
func (i *instance) startChecks() {
	i.mu.Lock()
	record, done := i.record, i.done
	i.verdicts = map[string]verdict{}
	i.mu.Unlock()
	for name, c := range catalog.HealthChecks(record.Spec.Labels.Component, record.Spec.Component, record.Image.HealthCheck) {
		i.mu.Lock()
		i.verdicts[name] = verdict{state: health.Unknown}
		i.mu.Unlock()
		go i.check(name, c, done)
	}
}

// target lets probes reach the instance.
type target struct{ i *instance }

func (t target) Dial(ctx context.Context, network string, port int) (net.Conn, error) {
	return t.i.s.network.Dial(ctx, netip.AddrPortFrom(t.i.address(), uint16(port)), network)
}

func (t target) Exec(ctx context.Context, command []string) (int, string, error) {
	r, err := t.i.s.exec(ctx, t.i.place.Name(), command)
	return r.ExitCode, string(r.Output), err
}
