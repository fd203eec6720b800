package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// proxy remembers what it is told, as a node's ingress does.
type proxy struct {
	mu      sync.Mutex
	ways    []rollout.Way
	told    []string // every change, in short
	refuses func(what string) error
	canary  func() rollout.Sample // what the new instances answered in all
}

func (p *proxy) say(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, what)
	if p.refuses != nil {
		return p.refuses(what)
	}
	return nil
}

func (p *proxy) Ways(context.Context) ([]rollout.Way, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ways), nil
}

func (p *proxy) Lead(_ context.Context, ways []rollout.Way) error {
	text := "nowhere"
	var all []string
	for _, w := range ways {
		one := w.Component + "=" + strings.Join(w.Instances, "+")
		if w.Share > 0 {
			one += fmt.Sprintf(" (%d%% %s)", w.Share, strings.Join(w.Canary, "+"))
		}
		all = append(all, one)
	}
	if len(all) > 0 {
		text = strings.Join(all, ", ")
	}
	p.mu.Lock()
	p.ways = slices.Clone(ways) // they are written down before the proxy is told
	p.mu.Unlock()
	return p.say("lead " + text)
}

func (p *proxy) Certify(_ context.Context, component string, _ map[string]engine.Route) error {
	return p.say("certify " + component)
}

func (p *proxy) Reach(_ context.Context, instance string, _ engine.Route) error {
	return p.say("reach " + instance)
}

func (p *proxy) Answers(_ context.Context, component, route string) error {
	return p.say("visit " + component + "/" + route)
}

func (p *proxy) Measure(context.Context, string) (rollout.Sample, error) {
	if p.canary == nil {
		return rollout.Sample{}, nil
	}
	return p.canary(), nil
}

func (p *proxy) Drain(_ context.Context, instance string) error { return p.say("drain " + instance) }

// heard answers what the proxy was told since it was asked last; what drains at the
// same time in the order of the names.
func (p *proxy) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := p.told
	p.told = nil
	slices.SortStableFunc(told, func(a, b string) int {
		if strings.HasPrefix(a, "drain") && strings.HasPrefix(b, "drain") {
			return strings.Compare(a, b)
		}
		return 0
	})
	return told
}

// web gives the api a route instead of a published port.
func web(version string) map[string]engine.Component {
	return with(components(version), "api", func(c *engine.Component) {
		c.Ports = nil
		c.Routes = map[string]engine.Route{"web": {Host: "shop.test", PathPrefix: "/", Port: 8080}}
	})
}

func newWebStage(t *testing.T) (*stage, *proxy) {
	s, p := newStage(t), &proxy{}
	s.runner.Proxy = p
	s.mustBring("1.0.0", web("1"))
	expect(t, p.heard(), "reach api-1-1", "lead api=api-1-1", "visit api/web")
	return s, p
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the ingress was told %q, want %q", got, want)
	}
}

func TestRouteMovesAndOldDrains(t *testing.T) {
	inFakeTime(func(t *testing.T) {
		s, p := newWebStage(t)
		s.mustBring("2.0.0", web("2"))
		expect(t, p.heard(), "reach api-2-1", "lead api=api-2-1", "visit api/web", "drain api-1-1")
		s.runs("api-2-1", "db-1-1")
	})(t)
}

func TestRouteChangesWithoutInstances(t *testing.T) {
	inFakeTime(func(t *testing.T) {
		s, p := newWebStage(t)
		s.node.Calls()
		other := with(web("1"), "api", func(c *engine.Component) {
			c.Routes = map[string]engine.Route{"web": {Host: "other.test", PathPrefix: "/", Port: 8080}}
		})
		s.mustBring("1.1.0", other)
		expect(t, p.heard(), "lead api=api-1-1", "visit api/web")
		s.runs("api-1-1", "db-1-1")
		s.mustBring("1.2.0", with(other, "api", func(c *engine.Component) { c.Routes = nil }))
		expect(t, p.heard(), "lead nowhere")
	})(t)
}

// Nobody is sent to a host, nor from one, as long as it has no certificate.
func TestCertificatesComeBeforeVisitors(t *testing.T) {
	secure := with(web("1"), "api", func(c *engine.Component) {
		c.Routes = map[string]engine.Route{"web": {Host: "shop.test", PathPrefix: "/", Port: 8080, TLS: &engine.RouteTLS{}}}
	})
	inFakeTime(func(t *testing.T) {
		s, p := newWebStage(t)
		p.refuses = func(what string) error {
			if what == "certify api" {
				return errors.New("the authority does not know you")
			}
			return nil
		}
		var failed *engine.RolloutError
		if err := s.bring(t.Context(), "1.1.0", secure); !errors.As(err, &failed) || failed.Component != "api" || !strings.Contains(failed.Message, "does not know you") {
			t.Errorf("failed with %v", err)
		}
		expect(t, p.heard(), "certify api")
		p.refuses = nil
		s.mustBring("1.2.0", secure)
		expect(t, p.heard(), "certify api", "lead api=api-1-1", "visit api/web")
	})(t)
}

func TestRouteGoesBackWhen(t *testing.T) {
	for name, test := range map[string]struct {
		refused string
		want    []string
	}{
		"the proxy does not reach the new one": {"reach api-2-1", []string{"reach api-2-1"}},
		"the proxy does not take it":           {"lead api=api-2-1", []string{"reach api-2-1", "lead api=api-2-1", "lead api=api-1-1", "drain api-2-1"}},
		"visitors get no answer":               {"visit api/web", []string{"reach api-2-1", "lead api=api-2-1", "visit api/web", "lead api=api-1-1", "drain api-2-1"}},
	} {
		t.Run(name, inFakeTime(func(t *testing.T) {
			s, p := newWebStage(t)
			p.refuses = func(what string) error {
				if what == test.refused {
					return errors.New("refused")
				}
				return nil
			}
			var failed *engine.RolloutError
			if err := s.bring(t.Context(), "2.0.0", web("2")); !errors.As(err, &failed) || failed.Phase != engine.PhaseSwitch {
				t.Errorf("failed with %v, want in the switch", err)
			} else if !strings.HasPrefix(test.refused, "lead") && !strings.Contains(failed.Message, "route web: refused") {
				t.Errorf("failed with %q, want the route's name", failed.Message)
			}
			expect(t, p.heard(), test.want...)
			s.runs("api-1-1", "db-1-1")
		}))
	}
}

func TestRouteThatIsRefusedAndNewIsTakenBack(t *testing.T) {
	inFakeTime(func(t *testing.T) {
		s, p := newStage(t), &proxy{}
		s.runner.Proxy = p
		s.mustBring("1.0.0", with(web("1"), "api", func(c *engine.Component) { c.Routes = nil }))
		p.refuses = func(what string) error {
			if what == "lead api=api-2-1" {
				return errors.New("refused")
			}
			return nil
		}
		if err := s.bring(t.Context(), "2.0.0", web("2")); err == nil {
			t.Error("a refused route was brought")
		}
		expect(t, p.heard(), "reach api-2-1", "lead api=api-2-1", "lead nowhere", "drain api-2-1")
	})(t)
}

// twoWebs has two components with routes.
func twoWebs(version string) map[string]engine.Component {
	cs := web(version)
	cs["shop"] = engine.Component{
		Image: "r.test/shop:1", HealthChecks: cs["api"].HealthChecks, Env: cs["api"].Env, DependsOn: []string{"api"},
		Routes: map[string]engine.Route{"all": {Host: "all.test", PathPrefix: "/", Port: 8080}},
	}
	return cs
}

func TestBlueGreenSwitchesOnceAndKeepsTheOld(t *testing.T) {
	inFakeTime(func(t *testing.T) {
		s, p := newStage(t), &proxy{}
		s.runner.Proxy, s.strategy.Type, s.strategy.KeepOldFor = p, engine.StrategyBlueGreen, time.Hour
		s.mustBring("1.0.0", twoWebs("1"))
		p.heard()
		s.mustBring("2.0.0", twoWebs("2"))
		expect(t, p.heard(), "reach api-2-1", "reach shop-2-1", "lead api=api-2-1, shop=shop-2-1", "visit api/web", "visit shop/all", "drain api-1-1", "drain shop-1-1")
		s.has("api-1-1", "api-2-1", "db-1-1", "shop-1-1", "shop-2-1")
		s.node.Calls()
		s.mustBring("1.0.0", twoWebs("1"))
		expect(t, p.heard(), "reach api-1-1", "reach shop-1-1", "lead api=api-1-1, shop=shop-1-1", "visit api/web", "visit shop/all", "drain api-2-1", "drain shop-2-1")
		for _, call := range s.node.Calls() {
			if strings.HasPrefix(call, "create") || strings.HasPrefix(call, "start") {
				t.Errorf("the return needed %s", call)
			}
		}
		s.has("api-1-1", "api-2-1", "db-1-1", "shop-1-1", "shop-2-1")
	})(t)
}

// has demands exactly these running instances.
func (s *stage) has(names ...string) {
	s.t.Helper()
	var running []string
	for _, i := range s.node.Running(deployment) {
		running = append(running, i.Key.Name)
	}
	if !slices.Equal(running, names) {
		s.t.Errorf("running %v, want %v", running, names)
	}
}

func TestBlueGreenMovesNothingWhenOneFails(t *testing.T) {
	inFakeTime(func(t *testing.T) {
		s, p := newStage(t), &proxy{}
		s.runner.Proxy, s.strategy.Type = p, engine.StrategyBlueGreen
		s.mustBring("1.0.0", twoWebs("1"))
		p.heard()
		if err := s.bring(t.Context(), "2.0.0", with(twoWebs("2"), "shop", behave("sick"))); err == nil {
			t.Error("a sick component was brought")
		}
		expect(t, p.heard())
		s.runs("api-1-1", "db-1-1", "shop-1-1")
	})(t)
}

func canaries(s *stage) {
	s.strategy.Type = engine.StrategyCanary
	s.strategy.Canary = rollout.Canary{
		Steps:        []rollout.CanaryStep{{Weight: 10, Pause: 10 * time.Second}, {Weight: 50, Pause: 10 * time.Second}},
		MaxErrorRate: 0.01, MaxLatency: time.Second, MinRequests: 10,
	}
}

func TestCanaryTakesStepsAndThenAll(t *testing.T) {
	inFakeTime(func(t *testing.T) {
		s, p := newWebStage(t)
		canaries(s)
		begun := time.Now()
		s.mustBring("2.0.0", web("2"))
		expect(t, p.heard(), "reach api-2-1", "lead api=api-1-1+api-2-1 (10% api-2-1)", "lead api=api-1-1+api-2-1 (50% api-2-1)",
			"lead api=api-1-1", "drain api-2-1", "reach api-2-1", "lead api=api-2-1", "visit api/web", "drain api-1-1")
		s.runs("api-2-1", "db-1-1")
		if took := time.Since(begun); took < 20*time.Second {
			t.Errorf("took %s, with two steps of 10s", took)
		}
	})(t)
}

func TestCanaryThatDoesBadlyGoesBack(t *testing.T) {
	slow := []rollout.Bucket{{UpTo: time.Second, Count: 90}, {Count: 100}}
	for name, test := range map[string]struct {
		sample rollout.Sample
		says   string
	}{
		"errors":  {rollout.Sample{Requests: 100, Errors: 2}, "2 of 100 answers were errors"},
		"latency": {rollout.Sample{Requests: 100, Latency: slow}, "10 of 100 answers took longer"},
	} {
		t.Run(name, inFakeTime(func(t *testing.T) {
			s, p := newWebStage(t)
			canaries(s)
			asked := 0
			p.canary = func() rollout.Sample {
				if asked++; asked == 1 {
					return rollout.Sample{}
				}
				return test.sample
			}
			err := s.bring(t.Context(), "2.0.0", web("2"))
			var failed *engine.RolloutError
			if !errors.As(err, &failed) || failed.Component != "api" || !strings.Contains(failed.Message, test.says) {
				t.Errorf("failed with %v, want %q of api", err, test.says)
			}
			expect(t, p.heard(), "reach api-2-1", "lead api=api-1-1+api-2-1 (10% api-2-1)", "lead api=api-1-1", "drain api-2-1")
			s.runs("api-1-1", "db-1-1")
		}))
	}
}
