package core_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// TestIngress leads visitors to what serves, on local and on Docker nodes.
func TestIngress(t *testing.T) {
	registry := testimage.Registry(t, testimage.RegistryOptions{})
	registry.Push(t, "caddy:2", testimage.Caddy(t))
	other, err := testimage.BuildCaddy(testimage.Options{Layers: [][]testimage.File{{{Path: "/other", Content: "yes"}}}})
	if err != nil {
		t.Fatal(err)
	}
	registry.Push(t, "caddy:3", other)
	for n := 1; n <= 2; n++ {
		registry.Push(t, fmt.Sprintf("app:%d", n), testimage.App(t, fmt.Sprint(n), nil))
	}
	registry.Push(t, "app:bad", testimage.App(t, "bad", map[string]string{"EXIT_NOW": "3"}))
	registry.Push(t, "app:ill", testimage.App(t, "ill", map[string]string{"FAIL_SHARE": "1"}))
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		x := &gate{T: t, visitor: "127.0.0.1"}
		x.furnish(registry, engine.Node{Kind: engine.NodeLocal, Local: &engine.LocalNode{Address: "127.0.0.1"}})
		x.visits()
	})
	for name, of := range map[string]func(testing.TB) *testdocker.Engine{"docker": testdocker.Shared, "podman": testdocker.Podman} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := of(t)
			x := &gate{T: t, lose: func() { loseContainers(t, e, "shop-web-") }}
			x.furnish(registry, engine.Node{Kind: engine.NodeDocker, Docker: &engine.DockerNode{Host: e.Host}})
			x.visits()
		})
	}
}

// loseContainers removes containers by hand, whose names begin so.
func loseContainers(t *testing.T, e *testdocker.Engine, name string) {
	t.Helper()
	all, err := e.Client(t).ContainerList(t.Context(), client.ContainerListOptions{Filters: make(client.Filters).Add("name", name)})
	if err != nil || len(all.Items) == 0 {
		t.Fatalf("no container %s…: %v", name, err)
	}
	for _, c := range all.Items {
		if _, err := e.Client(t).ContainerRemove(t.Context(), c.ID, client.ContainerRemoveOptions{Force: true}); err != nil {
			t.Fatal(err)
		}
	}
}

// gate is an engine with a node that has an ingress.
type gate struct {
	*testing.T
	engine *core.Engine
	node   engine.Node
	port   int
	// tcpPort is where the ingress takes connections of a TCP route.
	tcpPort int
	refs    map[string]string
	lose    func() // removes the instances behind the ingress by hand, nil = cannot
	// visitor is the address that a component is told of who visits from here, ""
	// where the node forwards connections as its own.
	visitor string
}

func (x *gate) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// ends is must for what is done at the end, where a panic must not be hidden.
func (x *gate) ends(err error) {
	x.Helper()
	if err != nil {
		x.Error(err)
	}
}

func (x *gate) furnish(r *testimage.RegistryServer, n engine.Node) {
	x.Helper()
	ctx := x.Context()
	var err error
	x.engine, err = core.Open(ctx, core.Config{DataDir: x.TempDir()})
	x.must(err)
	x.Cleanup(func() { x.ends(x.engine.Close()) })
	_, err = x.engine.CreateTeam(ctx, engine.Team{Name: "acme"})
	x.must(err)
	x.port, x.tcpPort = freePort(x), freePort(x)
	n.TeamID, n.Name, n.Allocation, n.KeepVersions = "acme", "here", engine.AllocationOpen, 3
	n.Ingress = &engine.NodeIngress{
		HTTPPort: x.port, HTTPSPort: freePort(x), TCPPorts: []int{x.tcpPort}, Image: r.URL() + "/caddy:2", ACMEDirectory: "https://127.0.0.1:1/nobody",
	}
	// Terraform makes both at once; the registry is what lets the node find its image.
	made := make(chan error, 1)
	go func() {
		var err error
		x.node, err = x.engine.CreateNode(ctx, n)
		made <- err
	}()
	_, err = x.engine.CreateRegistry(ctx, engine.Registry{TeamID: "acme", Name: "main", URL: "http://" + r.URL()}, "")
	x.must(err)
	x.must(<-made)
	x.Cleanup(func() { x.ends(x.engine.DeleteNode(context.Background(), "acme/here")) })
	_, err = x.engine.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: "shop", Type: engine.ProductComplex})
	x.must(err)
	_, err = x.engine.CreateEnvironment(ctx, engine.Environment{TeamID: "acme", Name: "test", NodeID: "acme/here", Type: engine.EnvironmentStaging}, nil)
	x.must(err)
	x.Cleanup(func() { x.ends(x.engine.DeleteEnvironment(context.Background(), "acme/test")) })
	x.refs = map[string]string{}
	shop := engine.Route{Host: "shop.test", PathPrefix: "/", Port: 8080}
	secure, other := shop, engine.Route{Host: "other.test", PathPrefix: "/", Port: 8080, TLS: &engine.RouteTLS{}}
	secure.TLS = &engine.RouteTLS{Issuer: engine.IssuerInternal}
	routes := map[string]map[string]engine.Route{"5.0.0": {"all": secure}, "6.0.0": {"all": secure, "other": other}}
	for name, tag := range map[string]string{"1.0.0": "1", "2.0.0": "2", "3.0.0": "bad", "4.0.0": "ill", "5.0.0": "2", "6.0.0": "2"} {
		if routes[name] == nil {
			routes[name] = map[string]engine.Route{"all": shop}
		}
		made, err := x.engine.CreateVersion(ctx, engine.Version{
			ProductID: "acme/shop", Name: name, Type: engine.VersionIncremental, Status: engine.VersionActive,
			Components: map[string]engine.Component{"web": {
				Image:        r.URL() + "/app:" + tag,
				HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080, Path: "/healthz"}}},
				Routes:       routes[name],
			}},
		})
		x.must(err)
		x.refs[name] = made.Ref
	}
}

var portsGiven sync.Map

// freePort is one that nobody listens on and that no other test here was given.
func freePort(t testing.TB) int {
	t.Helper()
	for {
		_, port, _ := net.SplitHostPort(testdocker.FreePort(t))
		number, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		if _, given := portsGiven.LoadOrStore(number, true); !given {
			return number
		}
	}
}

// get visits the ingress by that name.
func (x *gate) get(host, path string) (status int, body string) {
	x.Helper()
	status, body, err := x.visit(host, path)
	x.must(err)
	return status, body
}

func (x *gate) visit(host, path string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(x.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", x.port, path), nil)
	if err != nil {
		return 0, "", err
	}
	req.Host = host
	browser := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: stays}
	answer, err := browser.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// stays keeps a visitor from going where they are sent.
func stays(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (x *gate) serves(version string) {
	x.Helper()
	if status, body := x.get("shop.test", "/"); status != http.StatusOK || !strings.Contains(body, version) {
		x.Errorf("a visitor gets %d %q, want version %s", status, body, version)
	}
}

func (x *gate) visits() {
	ctx := x.Context()
	d := engine.Deployment{EnvironmentID: "acme/test", Prefix: "shop", Version: x.refs["1.0.0"], Strategy: engine.DefaultStrategy}
	d.Strategy.MinHealthyTime = "0s"
	if status, _ := x.get("shop.test", "/"); status != http.StatusNotFound {
		x.Errorf("before there is a deployment a visitor gets %d", status)
	}
	_, err := x.engine.CreateDeployment(ctx, d, nil)
	x.must(err)
	x.serves("1")
	if _, body := x.get("shop.test", "/visitor"); x.visitor != "" && strings.TrimSpace(body) != x.visitor {
		x.Errorf("a component is told that %q visits, want %s", body, x.visitor)
	}
	d.Version = x.refs["2.0.0"]
	_, err = x.engine.UpdateDeployment(ctx, d, nil)
	x.must(err)
	x.serves("2")
	d.Version = x.refs["3.0.0"]
	if _, err = x.engine.UpdateDeployment(ctx, d, nil); err == nil {
		x.Error("a version that ends at once was brought")
	}
	x.serves("2")
	status, err := x.engine.NodeStatus(ctx, "acme/here")
	x.must(err)
	if status.State != engine.NodeReady || len(status.Drift) > 0 {
		x.Errorf("the node is %+v", status)
	}
	x.keepsConnections(strings.TrimSuffix(x.node.Ingress.Image, "caddy:2") + "app:")
	x.movesAtOnce(d)
	x.triesCanaries(d)
	x.isTurned()
	x.isSecured(d)
	x.isKilled()
	x.isReplaced()
	x.outlivesLosses(d)
	x.must(x.engine.DeleteDeployment(ctx, "acme/test/shop"))
	if status, _ := x.get("shop.test", "/"); status != http.StatusNotFound {
		x.Errorf("after the deployment a visitor gets %d", status)
	}
}

// movesAtOnce goes to another version and back, while both run. 2.0.0 serves.
func (x *gate) movesAtOnce(d engine.Deployment) {
	x.Helper()
	d.Strategy.Type, d.Strategy.KeepOldFor = engine.StrategyBlueGreen, "1h"
	for _, version := range []string{"1.0.0", "2.0.0", "1.0.0", "2.0.0"} {
		d.Version = x.refs[version]
		now, err := x.engine.UpdateDeployment(x.Context(), d, nil)
		x.must(err)
		x.serves(version[:1])
		if len(now.Observed.Drift) > 0 {
			x.Errorf("after the switch to %s: %q", version, now.Observed.Drift)
		}
	}
	created := 0
	operations, err := x.engine.Operations(x.Context(), engine.OperationFilter{DeploymentID: "acme/test/shop"})
	x.must(err)
	for _, o := range operations[:3] { // the newest first
		for _, s := range o.Steps {
			if strings.HasPrefix(s.Name, "create") {
				created++
			}
		}
	}
	if created > 0 {
		x.Errorf("going to and fro between kept instances created %d", created)
	}
}

// triesCanaries gives a version that answers with errors a share of the visits.
func (x *gate) triesCanaries(d engine.Deployment) {
	x.Helper()
	d.Strategy.Type, d.Strategy.KeepOldFor = engine.StrategyCanary, ""
	d.Strategy.Canary = &engine.Canary{Steps: []engine.CanaryStep{{Weight: 20, Pause: "1m"}}, MinRequests: 5}
	d.Version = x.refs["4.0.0"]
	done := make(chan error, 1)
	go func() {
		_, err := x.engine.UpdateDeployment(x.Context(), d, nil)
		done <- err
	}()
	visits, failed := 0, 0
	for {
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "answers were errors") {
				x.Errorf("the canary ended with %v", err)
			}
			if failed == 0 || failed*5 > visits+5 {
				x.Errorf("%d of %d visits failed, want some and at most a fifth", failed, visits)
			}
			x.serves("2")
			return
		default:
			visits++
			if status, _ := x.get("shop.test", "/"); status >= http.StatusInternalServerError {
				failed++
			}
		}
	}
}
