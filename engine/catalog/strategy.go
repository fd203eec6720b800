package catalog

import (
	"math"
	"strconv"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// validateStrategy takes a field that is not set for its default (engine.DefaultStrategy).
func validateStrategy(s engine.Strategy) error {
	var p problems
	p.oneOf("type", s.Type, engine.StrategyRolling, engine.StrategyBlueGreen, engine.StrategyCanary, engine.StrategyRecreate)
	if s.MaxParallel < 0 || s.MaxParallel == 0 && s != (engine.Strategy{AutoRollback: s.AutoRollback}) {
		p.invalid("max_parallel", "%d cannot be replaced at once: use 1 or more", s.MaxParallel)
	}
	for field, text := range sorted(map[string]string{"min_healthy_time": s.MinHealthyTime, "drain_timeout": s.DrainTimeout, "keep_old_for": s.KeepOldFor}) {
		_, err := engine.ParseDuration(field, text, 0)
		p.add(err)
	}
	p.add(validateDeadline(s))
	if s.KeepOldFor != "" && s.Type != engine.StrategyBlueGreen {
		p.invalid("keep_old_for", "only type = \"blue_green\" keeps the old instances: leave it out, or use that type")
	}
	if s.Canary != nil {
		if s.Type != engine.StrategyCanary {
			p.invalid("canary", "it says nothing to type = %q: leave it out, or use type = \"canary\"", s.Type)
		}
		p.at("canary", validateCanary(*s.Canary))
	}
	return p.err()
}

func validateCanary(c engine.Canary) error {
	var p problems
	for i, step := range c.Steps {
		field := "steps." + strconv.Itoa(i)
		switch {
		case step.Weight < 1 || step.Weight > 99:
			p.invalid(field+".weight", "%d percent is no step on the way: use 1 to 99, all of them follows by itself", step.Weight)
		case i > 0 && step.Weight <= c.Steps[i-1].Weight:
			p.invalid(field+".weight", "%d percent is not more than the %d of the step before", step.Weight, c.Steps[i-1].Weight)
		}
		p.add(positiveDuration(field+".pause", step.Pause))
	}
	if r := c.MaxErrorRate; r != nil && (math.IsNaN(*r) || *r < 0 || *r > 1) {
		p.invalid("max_error_rate", "%v is not a share: use 0 to 1", *r)
	}
	p.add(positiveDuration("max_latency", c.MaxLatency))
	if c.MinRequests < 0 {
		p.invalid("min_requests", "%d is not a number of requests", c.MinRequests)
	}
	return p.err()
}

// IdleStrategy tells what of a strategy has no effect on a version, "" when all of
// it has. It is no error, so that a way back to an older version stays open.
func IdleStrategy(s engine.Strategy, cs map[string]engine.Component) string {
	if s.Type != engine.StrategyCanary {
		return ""
	}
	for _, c := range cs {
		for _, r := range c.Routes {
			if r.Protocol != engine.RouteTCP {
				return ""
			}
		}
	}
	return "A canary moves the requests of routes step by step, and no component of the version has a route but for tcp: all of it moves at once, as with type = \"blue_green\"."
}

// validateDeadline wants a deadline that a healthy rollout can meet.
func validateDeadline(s engine.Strategy) error {
	def := engine.DefaultStrategy
	orElse(&s.MinHealthyTime, def.MinHealthyTime)
	orElse(&s.ProgressDeadline, def.ProgressDeadline)
	deadline, err := engine.ParseDuration("progress_deadline", s.ProgressDeadline, 0)
	if err != nil {
		return err
	}
	hold, err := engine.ParseDuration("min_healthy_time", s.MinHealthyTime, 0)
	if err == nil && deadline <= hold {
		return engine.Invalid("progress_deadline", "%s is not longer than min_healthy_time (%s): nothing could ever succeed", s.ProgressDeadline, s.MinHealthyTime)
	}
	return nil
}
