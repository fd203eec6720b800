package docker_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// in is the bench of another deployment.
func (b *bench) in(deployment string) *bench {
	other := *b
	other.deployment = deployment
	b.Cleanup(func() {
		if err := b.RemoveDeployment(context.Background(), deployment, nil); err != nil {
			b.Error(err)
		}
	})
	return &other
}

// guest is the bench of a deployment as the engine has them for itself.
func (b *bench) guest() *bench {
	return b.in(engine.IngressID("acme/test") + "-" + b.deployment[strings.LastIndexByte(b.deployment, '/')+1:])
}

func (b *bench) startGuest(name string, c engine.Component) node.Key {
	b.Helper()
	s := b.spec(name, 1, c)
	s.Guest = true
	b.ok(b.Create(b.Context(), s))
	b.ok(b.Start(b.Context(), s.Key, node.Secrets{}))
	return s.Key
}

func (b *bench) admit(guest *bench, to node.Key) string {
	b.Helper()
	addresses, err := b.Admit(b.Context(), guest.deployment, to.Deployment, []node.Door{{Instance: to.Name, Port: 8080}})
	b.ok(err)
	return addresses[0]
}

// place is the container's place in its deployment's network.
func (b *bench) place(e *testdocker.Engine, key node.Key, deployment string) *network.EndpointSettings {
	b.Helper()
	name := func(deployment string) string { return deployment[strings.LastIndexByte(deployment, '/')+1:] }
	found, err := e.Client(b.T).ContainerInspect(b.Context(), name(key.Deployment)+"-"+key.Name, client.ContainerInspectOptions{})
	b.ok(err)
	return found.Container.NetworkSettings.Networks["slipway-"+name(deployment)]
}

// What comes through a guest's own published port goes on while it joins other
// deployments and leaves them, wherever their names sort.
func TestGuestKeepsItsPort(t *testing.T) {
	t.Parallel()
	b := newBench(t, open(t, over(daemon(t).Host)))
	guest := b.guest()
	ports := map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: ptr(0)}}
	key := guest.startGuest("proxy-1-1", engine.Component{Ports: ports})
	guest.serving(key)
	published, err := b.Route(t.Context(), guest.deployment, []node.Route{{Component: "proxy", Ports: ports, Instances: []string{key.Name}}})
	b.ok(err)
	e := published["proxy/http"]
	through, err := net.Dial("tcp", net.JoinHostPort(e.Address, strconv.Itoa(e.Port)))
	b.ok(err)
	defer through.Close()
	answers := func(when string) {
		t.Helper()
		if ask(through, "/healthz") != "ok" {
			t.Fatalf("%s, the connection is cut", when)
		}
		if fetch(e) != "ok" {
			t.Fatalf("%s, the port leads nowhere", when)
		}
	}
	answers("before")
	others := make([]*bench, 10)
	var group errgroup.Group
	group.SetLimit(3)
	for n := range others {
		others[n] = b.in(fmt.Sprintf("acme/test/%c-%s", "0amz9"[n%5], strings.ToLower(t.Name())+strconv.Itoa(n)))
		s := others[n].spec("api-1-1", 1, idle())
		group.Go(func() error { return b.Create(t.Context(), s) })
	}
	b.ok(group.Wait())
	for n, o := range others {
		b.admit(guest, node.Key{Deployment: o.deployment, Name: "api-1-1"})
		answers(fmt.Sprintf("with %d networks joined", n+1))
	}
	for n, o := range others {
		b.ok(b.RemoveDeployment(t.Context(), o.deployment, nil))
		answers(fmt.Sprintf("with %d networks left", n+1))
	}
	i, err := b.Inspect(t.Context(), key)
	b.ok(err)
	if len(i.Altered) > 0 || i.Restarts > 0 {
		t.Errorf("%+v", i)
	}
}

// While a guest may send to an instance it stays in its network as it is: Docker
// changes its names only by taking it off for a moment.
func TestVisitedKeepsItsName(t *testing.T) {
	t.Parallel()
	e := daemon(t)
	b := newBench(t, open(t, over(e.Host)))
	guest := b.guest()
	guest.startGuest("proxy-1-1", idle())
	old, newer := b.start("api-1-1", 1, idle()), b.start("api-2-1", 2, idle())
	b.admit(guest, old)
	before := b.place(e, old, b.deployment)
	b.route("api", "api-2-1")
	if now := b.place(e, old, b.deployment); now.EndpointID != before.EndpointID {
		t.Error("it was taken off its network while a guest may send to it")
	}
	if got := b.tool(newer, "resolve", "api"); len(strings.Fields(got)) != 2 {
		t.Errorf("the name leads to %s", got)
	}
	b.ok(b.Drain(t.Context(), old))
	b.route("api", "api-2-1")
	if got := b.tool(newer, "resolve", "api"); got != b.place(e, newer, b.deployment).IPAddress.String() {
		t.Errorf("once it is drained the name leads to %s", got)
	}
	// It serves again: first it gets the name, then guests send to it.
	b.route("api", "api-1-1", "api-2-1")
	b.admit(guest, old)
	before = b.place(e, old, b.deployment)
	b.route("api", "api-2-1")
	if now := b.place(e, old, b.deployment); now.EndpointID != before.EndpointID {
		t.Error("it was taken off its network although a guest was admitted again")
	}
}

// Guests have addresses that no instance is given, also one that does not run now.
func TestGuestAddresses(t *testing.T) {
	t.Parallel()
	e := daemon(t)
	b := newBench(t, open(t, over(e.Host)))
	guest := b.guest()
	first := guest.startGuest("proxy-1-1", idle())
	made := b.spec("api-1-1", 1, idle())
	b.ok(b.Create(t.Context(), made))
	address := b.admit(guest, made.Key)
	b.ok(guest.Stop(t.Context(), first))
	second := guest.startGuest("proxy-2-1", idle())
	if again := b.admit(guest, made.Key); again != address {
		t.Errorf("the address was %s and is %s", address, again)
	}
	b.ok(b.Start(t.Context(), first, node.Secrets{}))
	b.ok(b.Start(t.Context(), made.Key, node.Secrets{}))
	seen := map[netip.Addr]bool{}
	for _, key := range []node.Key{first, second, made.Key} {
		seen[b.place(e, key, b.deployment).IPAddress] = true
	}
	if len(seen) != 3 || !seen[netip.MustParseAddr(strings.TrimSuffix(address, ":8080"))] {
		t.Errorf("the addresses are %v, and the door was at %s", seen, address)
	}
}
