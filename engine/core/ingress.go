package core

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/ingress"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/steady"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// ingressStrategy is how a node's ingress is rolled out: it answers at once or not
// at all.
var ingressStrategy = engine.Strategy{
	Type: engine.StrategyRolling, MaxParallel: 1, MinHealthyTime: "1s",
	ProgressDeadline: "1m", DrainTimeout: "30s", AutoRollback: true,
}

// ingressVersion names what the engine itself runs, where users' deployments have
// the ref of a version.
const ingressVersion = "ingress"

// proxyRun is one operation that brings a node's ingress to what the node declares.
type proxyRun struct {
	*Engine
	id       string
	node     engine.Node
	op       *operation
	rec      store.Ingress
	driver   *steady.Driver
	runner   *rollout.Runner
	strategy rollout.Strategy
	token    string
	prior    *rollout.Target
}

// ensureIngress makes the node's ingress run as the node declares it, like a
// deployment: nothing is touched where all is well, an upgrade that fails leaves
// what served, and what a killed run left is taken back. Then it has the routes of
// all deployments there.
func (e *Engine) ensureIngress(ctx context.Context, n engine.Node) error {
	if n.Ingress == nil {
		return e.removeIngress(ctx, n)
	}
	id := engine.IngressID(n.ID)
	held, release, err := e.hold(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	defer e.forgetNode(n.ID)
	op, err := e.begin(held, id, "ingress")
	if err != nil {
		return err
	}
	run := &proxyRun{Engine: e, id: id, node: n, op: op}
	err = run.bring(held)
	op.end(held, err)
	if err != nil {
		return engine.At("ingress", declared(err))
	}
	return engine.At("ingress", e.rebuildIngress(held, n))
}

// declared tells in the words of the node's ingress what the node refused before
// anything was touched, such as a port that somebody else has.
func declared(err error) error {
	var failed *engine.RolloutError
	var refused *engine.Error
	if !errors.As(err, &failed) || failed.Phase != engine.PhasePreflight || !errors.As(failed.Err, &refused) || ingress.Declared(refused.Field) == "" {
		return err
	}
	return &engine.Error{
		Class: refused.Class, Field: ingress.Declared(refused.Field), Reason: refused.Reason, Err: refused.Err,
		Hint: "Free the port, or choose another one; nothing was touched",
	}
}

func (p *proxyRun) bring(ctx context.Context) error {
	if err := p.prepare(ctx); err != nil {
		return err
	}
	wanted, err := p.wanted(ctx)
	if err != nil {
		return err
	}
	if err := p.settle(ctx, wanted); err != nil {
		return err
	}
	seen, err := p.driver.Observe(ctx, p.id)
	if err != nil {
		return err
	}
	info, err := p.driver.Info(ctx)
	if err != nil {
		return err
	}
	var served map[string]catalog.Effective
	if p.prior != nil {
		served = p.prior.Components
	}
	steps := plan.Make(served, plan.Desired{Components: wanted}, asPlanned(seen.Instances, wanted, nil), plan.Traits{StartFirstPorts: info.StartFirstPorts})
	if p.prior != nil && !changes(steps) {
		return nil
	}
	return p.rollOut(ctx, wanted, steps, seen.Instances)
}

func changes(p plan.Plan) bool {
	for _, s := range p.Steps {
		if s.Action != plan.Keep {
			return true
		}
	}
	return false
}

// prepare reads what there is.
func (p *proxyRun) prepare(ctx context.Context) (err error) {
	if p.strategy, err = strategyOf(ingressStrategy); err != nil {
		return err
	}
	p.rec, err = p.store.Ingress(ctx, p.node.ID)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		p.token = rand.Text() + rand.Text()
		p.rec.NodeID = p.node.ID
		p.rec.Token, err = p.box.Seal([]byte(p.token))
	case err == nil:
		p.token, err = p.open(p.rec.Token)
	}
	if err != nil {
		return err
	}
	d, err := p.Engine.driver(ctx, p.node)
	if err != nil {
		return err
	}
	p.driver = d.Patient(p.strategy.ProgressDeadline)
	p.runner = &rollout.Runner{Driver: p.driver, Clock: p.clock, Journal: p.op.journal, Log: p.log}
	if p.rec.Serving == 0 {
		return nil
	}
	served, err := servedIngress(p.rec)
	if err != nil {
		return err
	}
	target, err := p.target(ctx, served, p.rec.Serving)
	p.prior = &target
	return err
}

func (e *Engine) open(sealed []byte) (string, error) {
	plain, err := e.box.Open(sealed)
	return string(plain), err
}

func servedIngress(rec store.Ingress) (served map[string]catalog.Effective, err error) {
	err = json.Unmarshal(rec.Config, &served)
	return served, err
}

// wanted is the proxy's effective configuration. An image that serves keeps its
// digest as long as the node names the same reference.
func (p *proxyRun) wanted(ctx context.Context) (map[string]catalog.Effective, error) {
	pin, err := p.pin(ctx, cmp.Or(p.node.Ingress.Image, engine.DefaultIngressImage))
	if err != nil {
		return nil, engine.At("image", err)
	}
	return p.effectiveIngress(p.node, pin, p.token)
}

// effectiveIngress is what runs of a node's ingress from an image.
func (e *Engine) effectiveIngress(n engine.Node, pin, token string) (map[string]catalog.Effective, error) {
	components, err := ingress.Components(inputOf(n), pin)
	if err != nil {
		return nil, err
	}
	images := map[string]string{}
	for name := range components {
		images[name] = pin
	}
	return catalog.Merge(catalog.MergeInput{
		Components: components, Images: images,
		SecretHashes: map[string]string{ingress.EnvToken: e.box.Hash(ingress.EnvToken, token)},
	})
}

// pin is the image with its digest. A registry that is declared in the same run
// gets a moment to appear: nothing orders the two.
func (p *proxyRun) pin(ctx context.Context, reference string) (string, error) {
	if p.prior != nil {
		for _, c := range p.prior.Components {
			if pinsReference(c.Image, reference) {
				return c.Image, nil
			}
		}
	}
	deadline := p.clock.Now().Add(registryPatience)
	for {
		credential, declared, err := p.credentialFor(ctx, p.node.TeamID, reference)
		if err != nil {
			return "", err
		}
		found, err := p.images.Resolve(ctx, reference, credential)
		if err == nil {
			return pinOf(reference, found.Digest), nil
		}
		undecided := errors.Is(err, engine.ErrDenied) || errors.Is(err, engine.ErrUnavailable)
		if declared || !undecided || p.clock.Now().After(deadline) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-p.after(registryPoll):
		}
	}
}

// target describes a revision of the ingress for the rollout.
func (p *proxyRun) target(ctx context.Context, components map[string]catalog.Effective, revision int) (rollout.Target, error) {
	t := rollout.Target{
		Version: ingressVersion,
		Labels: node.Labels{
			Engine: p.EngineID(), Team: p.node.TeamID, Deployment: p.id, VersionRef: ingressVersion, Revision: revision,
		},
		Components: components, Images: map[string]node.Image{}, Guest: true,
		Secrets: map[string]node.Secrets{},
	}
	for name, c := range components {
		var err error
		t.Secrets[name] = node.Secrets{Env: map[string]string{ingress.EnvToken: p.token}}
		if t.Images[name], err = p.nodeImage(ctx, p.node.TeamID, c.Image); err != nil {
			return t, err
		}
	}
	return t, nil
}

// settle takes back what a killed run left.
func (p *proxyRun) settle(ctx context.Context, wanted map[string]catalog.Effective) error {
	seen, err := p.driver.Observe(ctx, p.id)
	if err != nil {
		return err
	}
	if p.prior == nil {
		if len(seen.Instances) == 0 {
			return nil
		}
		return p.driver.RemoveDeployment(ctx, p.id, nil)
	}
	_, err = p.runner.Settle(ctx, rollout.SettleInput{
		Deployment: p.id, Serving: *p.prior, Wanted: wanted, Levels: levelsOf(wanted), Observed: seen.Instances,
		Unproven: func(i node.Instance) bool { return i.Labels.Revision > p.rec.Serving },
		Strategy: p.strategy,
		Back:     func(context.Context, map[string]int64) error { return nil },
	})
	return err
}

// rollOut brings up what is wanted. The attempt is counted before anything starts.
func (p *proxyRun) rollOut(ctx context.Context, wanted map[string]catalog.Effective, steps plan.Plan, observed []node.Instance) error {
	config, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	p.rec.Attempt++
	if p.rec.Serving == 0 {
		p.rec.Config = []byte("{}")
	}
	if err := p.store.PutIngress(ctx, p.rec); err != nil {
		return err
	}
	target, err := p.target(ctx, wanted, p.rec.Attempt)
	if err != nil {
		return err
	}
	before, err := p.driver.Volumes(ctx, p.id)
	if err != nil {
		return err
	}
	return p.runner.Run(ctx, rollout.Input{
		Deployment: p.id, OperationID: p.op.id, Plan: steps, Target: target, Prior: p.prior,
		Observed: observed, Strategy: p.strategy, VolumesBefore: before,
		Commit: func(ctx context.Context) error {
			p.rec.Serving, p.rec.Config = p.rec.Attempt, config
			return p.store.PutIngress(ctx, p.rec)
		},
	})
}

// ingressImages are those that the node's ingress serves with.
func (e *Engine) ingressImages(ctx context.Context, n engine.Node) []string {
	rec, err := e.store.Ingress(ctx, n.ID)
	if err != nil {
		return nil
	}
	served, err := servedIngress(rec)
	if err != nil {
		return nil
	}
	return slices.Collect(maps.Values(imagesOf(served)))
}

// removeIngress takes a node's ingress away, with what it kept.
func (e *Engine) removeIngress(ctx context.Context, n engine.Node) error {
	_, err := e.store.Ingress(ctx, n.ID)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	id := engine.IngressID(n.ID)
	held, release, err := e.hold(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	defer e.forgetNode(n.ID)
	d, err := e.driver(held, n)
	if err != nil {
		return err
	}
	volumes, err := d.Volumes(held, id)
	if err != nil {
		return err
	}
	if err := d.RemoveDeployment(held, id, volumes); err != nil {
		return fmt.Errorf("remove the ingress of node %s: %w", n.ID, err)
	}
	if err := e.store.DeleteIngress(held, n.ID); err != nil {
		return err
	}
	e.prune(context.WithoutCancel(held), n)
	return nil
}
