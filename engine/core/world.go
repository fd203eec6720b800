package core

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// world is everything stored that a deployment refers to.
type world struct {
	environment engine.Environment
	node        engine.Node
	fresh       bool // the node is to be made in this run
	version     engine.Version
}

// newOwner names this process in the records of operations.
func newOwner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

// complete fills in what a deployment leaves open: its prefix, its strategy,
// its id.
func complete(d engine.Deployment) (engine.Deployment, error) {
	id, _, err := engine.SplitRef(d.Version)
	if err != nil {
		return d, err
	}
	if d.Prefix == "" {
		d.Prefix = engine.BaseName(engine.ParentID(id))
	}
	if d.DesiredState == "" {
		d.DesiredState = engine.StateRunning
	}
	if d.Strategy.IsZero() {
		d.Strategy = engine.DefaultStrategy
	}
	if d.KeepSnapshots == 0 {
		d.KeepSnapshots = engine.DefaultKeepSnapshots
	}
	d.ID = engine.JoinID(d.EnvironmentID, d.Prefix)
	return d, catalog.ValidateDeployment(d)
}

// lookUp reads what a deployment refers to, and applies the rules between them.
func (e *Engine) lookUp(ctx context.Context, d engine.Deployment, isNew bool) (world, error) {
	var w world
	var err error
	if w.environment, err = e.store.Environment(ctx, d.EnvironmentID); err != nil {
		return w, engine.At("environment_id", err)
	}
	if w.node, err = e.store.Node(ctx, w.environment.NodeID); err != nil {
		return w, err
	}
	if w.version, err = e.versionOf(ctx, d.Version); err != nil {
		return w, err
	}
	if err := w.check(d, isNew); err != nil {
		return w, err
	}
	return w, e.promotable(ctx, d, w, engine.PlanInput{})
}

// check applies the catalog's rules between a deployment and its world.
func (w world) check(d engine.Deployment, isNew bool) error {
	c := catalog.Case{Verb: catalog.Deploy, Type: w.version.Type, Name: w.version.Name}
	if isNew {
		c.Verb = catalog.Copy
	}
	if w.version.Status == engine.VersionDeprecated {
		c.Facts = []catalog.Fact{catalog.IsDeprecated}
	}
	if err := catalog.Allow(c); err != nil {
		return err
	}
	if err := catalog.CheckAllocation(w.node, isNew); err != nil {
		return engine.At("environment_id", err)
	}
	if err := catalog.CheckRoutes(w.node, w.version.Components); err != nil {
		return err
	}
	return catalog.ValidateOverrides(d, w.version.Components)
}

// versionOf reads the version that a reference means, also a retired one. A
// reference with a digest means exactly that content.
func (e *Engine) versionOf(ctx context.Context, ref string) (engine.Version, error) {
	id, digest, err := engine.SplitRef(ref)
	if err != nil {
		return engine.Version{}, err
	}
	stored, err := e.store.Version(ctx, id)
	if err != nil {
		return engine.Version{}, engine.At("version", err)
	}
	if digest != "" && digest != stored.Digest {
		return engine.Version{}, otherContent(id, digest, stored.Digest)
	}
	return stored.Content()
}

func otherContent(id, wanted, stored string) error {
	return &engine.Error{
		Class: engine.ErrConflict, Field: "version",
		Reason: fmt.Sprintf("version %s has other content now (%s) than the reference names (%s)", id, stored, wanted),
		Hint:   "use the ref attribute of the slipway_version, or team/product/name for whatever it is",
	}
}

// strategyOf reads a strategy's durations.
func strategyOf(s engine.Strategy) (rollout.Strategy, error) {
	def := engine.DefaultStrategy
	read := func(field, value, fallback string) (time.Duration, error) {
		if value == "" {
			value = fallback
		}
		return engine.ParseDuration("strategy."+field, value, 0)
	}
	out := rollout.Strategy{Type: s.Type, MaxParallel: max(1, s.MaxParallel), AutoRollback: s.AutoRollback}
	var err error
	if out.MinHealthyTime, err = read("min_healthy_time", s.MinHealthyTime, def.MinHealthyTime); err != nil {
		return out, err
	}
	if out.ProgressDeadline, err = read("progress_deadline", s.ProgressDeadline, def.ProgressDeadline); err != nil {
		return out, err
	}
	if out.DrainTimeout, err = read("drain_timeout", s.DrainTimeout, def.DrainTimeout); err != nil {
		return out, err
	}
	if out.KeepOldFor, err = read("keep_old_for", s.KeepOldFor, "0s"); err != nil {
		return out, err
	}
	if s.Type == engine.StrategyCanary {
		out.Canary, err = canaryOf(cmp.Or(s.Canary, &engine.Canary{}).Whole())
	}
	return out, err
}

// canaryOf reads a canary's durations; it wants the defaults filled in.
func canaryOf(c engine.Canary) (out rollout.Canary, err error) {
	out.MaxErrorRate, out.MinRequests = *c.MaxErrorRate, c.MinRequests
	if out.MaxLatency, err = engine.ParseDuration("strategy.canary.max_latency", c.MaxLatency, 0); err != nil {
		return out, err
	}
	for _, step := range c.Steps {
		s := rollout.CanaryStep{Weight: step.Weight}
		if s.Pause, err = engine.ParseDuration("strategy.canary.steps", step.Pause, 0); err != nil {
			return out, err
		}
		out.Steps = append(out.Steps, s)
	}
	return out, nil
}
