package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
	"github.com/slipwayhq/terraform-provider-slipway/internal/load"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// The load of workload W3, and how many upgrades there are.
const (
	trafficTitle    = "200 requests a second, half of them 500 ms long"
	trafficUpgrades = 20
	trafficHost     = "shop.test"
)

var trafficMix = load.Mix{Rate: 200, Fresh: 0.3, Slow: 0.5, SlowFor: 500 * time.Millisecond, Patience: 30 * time.Second, AtOnce: 1000}

// traffic is workload W3 on a local node.
func (b *bench) traffic(ctx context.Context) error {
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	return b.upgradesUnderLoad(ctx, w, engine.Node{Kind: engine.NodeLocal, Local: &engine.LocalNode{Root: w.root.Dir + "i", Address: "127.0.0.1"}})
}

// dockerTraffic is workload W3 on a Docker Engine.
func (b *bench) dockerTraffic(ctx context.Context) error {
	d, err := b.openDocker(ctx)
	if err != nil {
		return err
	}
	return b.upgradesUnderLoad(ctx, d.world, dockerNode(d.daemon.Host))
}

// front is a node with an ingress, and a shop behind it.
type front struct {
	*world
	environment string
	image       string            // of the test application
	address     string            // of the ingress, for HTTP
	refs        map[string]string // of versions, by name
}

// upgradesUnderLoad makes a node with an ingress, and upgrades what is behind it.
func (b *bench) upgradesUnderLoad(ctx context.Context, w *world, n engine.Node) (err error) {
	f, err := b.openFront(ctx, w, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close(ctx)) }()
	if err := f.deploy(ctx, "v0", engine.DefaultStrategy); err != nil {
		return err
	}
	asked := load.Start(load.Target{URL: "http://" + trafficHost, Address: f.address}, trafficMix)
	defer asked.Stop()
	if err := answeredBy(ctx, asked, "v0"); err != nil {
		return err
	}
	var named, switched []time.Duration
	proven := map[string]time.Time{}
	for i := range trafficUpgrades {
		version := fmt.Sprintf("v%d", i+1)
		if err := f.deploy(ctx, version, engine.DefaultStrategy); err != nil {
			return err
		}
		way := f.proving.passage()
		named, switched, proven[version] = append(named, way.named), append(switched, way.visited), way.stable
		if err := answeredBy(ctx, asked, version); err != nil {
			return err
		}
	}
	b.traffics(asked.Stop(), proven)
	b.value("  stable, it gets its name and is proven once more: median", duration(stats.Median(named)), "")
	b.value("  from that proof of health to switched: median", duration(stats.Median(switched)), "<= 50 ms")
	return b.returns(ctx, f)
}

// traffics tells what became of a load, and when visitors met what was proven.
func (b *bench) traffics(r load.Report, proven map[string]time.Time) {
	b.lost(r, len(proven))
	var met []time.Duration
	for version, at := range proven {
		met = append(met, r.FirstBy[version].Sub(at))
	}
	b.value("  from the verdict until the first visitor had an answer of it: median", duration(stats.Median(met)), "")
}

// lost tells what became of a load.
func (b *bench) lost(r load.Report, upgrades int) {
	b.line("  %s", strings.ReplaceAll(r.String(), "\n", "\n  "))
	share := fmt.Sprintf("%d = %.2f %%", r.Failed, 100*float64(r.Failed)/float64(max(r.Requests, 1)))
	b.value(fmt.Sprintf("%d upgrades, of %d requests lost", upgrades, r.Requests), share, "0")
}

// returns goes back and forth between two sets that both run.
func (b *bench) returns(ctx context.Context, f *front) error {
	strategy := engine.DefaultStrategy
	strategy.Type, strategy.KeepOldFor = engine.StrategyBlueGreen, "10m"
	var took []time.Duration
	for i := range 2 * b.rounds {
		began := time.Now()
		if err := f.deploy(ctx, []string{"v1", "v2"}[i%2], strategy); err != nil {
			return err
		}
		if i >= 2 { // the first two make the sets
			took = append(took, time.Since(began))
		}
	}
	b.value("  blue/green: back to the set that still runs, all of the operation: median", duration(stats.Median(took)), "<= 1 s")
	return nil
}

// openFront makes the node, and brings to the registry what runs there.
func (b *bench) openFront(ctx context.Context, w *world, n engine.Node) (*front, error) {
	host, _, _ := strings.Cut(b.image, "/")
	proxy, err := b.publishProxy(ctx, host)
	if err != nil {
		return nil, err
	}
	f := &front{world: w, environment: engine.JoinID("acme", "front"), refs: map[string]string{}}
	if f.image, err = b.publish(ctx, host+"/bench/trial:1", "/internal/testimage/app"); err != nil {
		return nil, err
	}
	plain, secure := freePort(), freePort()
	f.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(plain))
	n.Ingress = &engine.NodeIngress{HTTPPort: plain, HTTPSPort: secure, Image: proxy}
	return f, w.place(ctx, "front", f.environment, n)
}

func (b *bench) publishProxy(ctx context.Context, host string) (string, error) {
	image, err := testimage.BuildCaddy(testimage.Options{})
	if err != nil {
		return "", err
	}
	tag, err := name.NewTag(host + "/bench/caddy:1")
	if err != nil {
		return "", err
	}
	return tag.String(), remote.Write(tag, image, remote.WithContext(ctx))
}

// ref is the version of that name, which is made when it is asked for first.
func (f *front) ref(ctx context.Context, version string) (string, error) {
	if ref := f.refs[version]; ref != "" {
		return ref, nil
	}
	made, err := f.version(ctx, "front-"+version, map[string]engine.Component{"web": {
		Image: f.image, Env: map[string]string{"VERSION": version},
		HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: appPort, Path: "/healthz"}}},
		Routes:       map[string]engine.Route{"web": {Host: trafficHost, Port: appPort}},
	}})
	f.refs[version] = made.Ref
	return made.Ref, err
}

// deploy makes the shop, or moves it to another version.
func (f *front) deploy(ctx context.Context, version string, s engine.Strategy) error {
	ref, err := f.ref(ctx, version)
	if err != nil {
		return err
	}
	d := wanted(f.environment, ref, "shop")
	d.Strategy = s
	d.Strategy.MinHealthyTime, d.Strategy.DrainTimeout = "0s", "3s"
	if version == "v0" {
		_, err = f.CreateDeployment(ctx, d, nil)
		return err
	}
	d.ID = engine.JoinID(f.environment, "shop")
	_, err = f.UpdateDeployment(ctx, d, nil)
	return err
}

// close takes the node away, and with it the ingress, also when ctx ended.
func (f *front) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	return errors.Join(f.remove(ctx, f.environment, "shop"), f.DeleteEnvironment(ctx, f.environment), f.DeleteNode(ctx, engine.JoinID("acme", "front")))
}

// answeredBy waits until visitors meet the version.
func answeredBy(ctx context.Context, asked *load.Run, version string) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(time.Minute); ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return fmt.Errorf("nobody was answered by %s\n%s", version, asked.Report())
		}
		if asked.Report().ByVersion[version] > 0 {
			return nil
		}
	}
}

// freePort is one below those that Linux gives to outgoing connections.
func freePort() int {
	for {
		port := 10000 + rand.IntN(10000) //nolint:gosec // it is no secret
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
}
