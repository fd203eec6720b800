package nodetest

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// guest is the harness of a deployment as the engine has them for itself.
func (h *harness) guest() *harness {
	return h.in(engine.IngressID("acme/test") + "-" + h.deployment[strings.LastIndexByte(h.deployment, '/')+1:])
}

// startGuest starts an instance that is let in to others.
func (h *harness) startGuest(name string) node.Key {
	h.Helper()
	s := h.spec(name, idle())
	s.Guest = true
	return h.startSpec(s, node.Secrets{})
}

// admit lets the guest in to the application of those instances.
func (h *harness) admit(guest *harness, names ...string) []string {
	h.Helper()
	doors := make([]node.Door, len(names))
	for n, name := range names {
		doors[n] = node.Door{Instance: name, Port: 8080}
	}
	addresses, err := h.Admit(h.ctx, guest.deployment, h.deployment, doors)
	h.ok(err)
	if len(addresses) != len(names) || slices.Contains(addresses, "") {
		h.Fatalf("the doors of %v are at %q", names, addresses)
	}
	return addresses
}

// ask asks an application from inside an instance, "" while it is not reached.
func (h *harness) ask(from node.Key, address string) string {
	h.Helper()
	r, err := h.Exec(h.ctx, from, []string{"/tool", "ask", address, "/"})
	h.ok(err)
	if r.ExitCode != 0 {
		return ""
	}
	return strings.TrimSpace(r.Output)
}

func (h *harness) reaches(from node.Key, address, answer string) {
	h.Helper()
	h.until(fmt.Sprintf("%s answers %s with %q", address, from.Name, answer), func() bool { return h.ask(from, address) == answer })
}

func testAdmit(h *harness) {
	guest := h.guest()
	proxy := guest.startGuest("proxy-1-1")
	s := h.spec("api-1-1", engine.Component{Env: map[string]string{"VERSION": "one"}})
	h.ok(h.Create(h.ctx, s))
	_, err := h.Admit(h.ctx, guest.deployment, h.deployment, []node.Door{{Instance: "api-9-1", Port: 8080}})
	h.is(err, engine.ErrNotFound)
	address := h.admit(guest, "api-1-1")[0]
	h.want(h.ask(proxy, address), "")
	h.ok(h.Start(h.ctx, s.Key, node.Secrets{}))
	h.reaches(proxy, address, "one")

	two := h.start("api-1-2", engine.Component{Env: map[string]string{"VERSION": "two"}})
	both := h.admit(guest, "api-1-1", "api-1-2")
	if both[0] != address || both[1] == address {
		h.Fatalf("the door of %q is at %q", address, both)
	}
	h.reaches(proxy, both[1], "two")
	h.ok(h.Stop(h.ctx, s.Key))
	h.want(h.ask(proxy, address), "")
	h.ok(h.Remove(h.ctx, two))
	h.start("api-1-3", engine.Component{Env: map[string]string{"VERSION": "three"}})
	h.ok(h.Start(h.ctx, s.Key, node.Secrets{}))
	h.reaches(proxy, address, "one")
	h.want(h.admit(guest, "api-1-1")[0], address)
	for _, i := range []node.Instance{h.inspect(s.Key), guest.inspect(proxy)} {
		if len(i.Altered) > 0 {
			h.Errorf("%s looks altered: %v", i.Key.Name, i.Altered)
		}
	}

	h.ok(h.Remove(h.ctx, proxy))
	proxy = guest.startGuest("proxy-2-1")
	h.want(h.admit(guest, "api-1-1")[0], address)
	h.reaches(proxy, address, "one")
	h.ok(h.Stop(h.ctx, proxy)) // it comes back with its doors
	h.ok(h.Start(h.ctx, proxy, node.Secrets{}))
	h.reaches(proxy, address, "one")

	h.ok(h.RemoveDeployment(h.ctx, h.deployment, nil))
	h.want(h.ask(proxy, address), "")
	h.ok(h.Stop(h.ctx, proxy))
	h.ok(h.Start(h.ctx, proxy, node.Secrets{})) // although what it was let in to is gone
	h.ok(h.Create(h.ctx, s))
	h.ok(h.Start(h.ctx, s.Key, node.Secrets{}))
	address = h.admit(guest, "api-1-1")[0]
	h.reaches(proxy, address, "one")
	h.ok(h.RemoveDeployment(h.ctx, guest.deployment, nil))
	h.state(s.Key, node.Running)
}

func testAdmitParallel(h *harness) {
	guest := h.guest()
	proxy := guest.startGuest("proxy-1-1")
	var others []*harness
	for n := range 3 {
		others = append(others, h.in(fmt.Sprintf("%s-%d", h.deployment, n)))
	}
	var group errgroup.Group
	addresses := make([]string, 8)
	for n := range addresses {
		other := others[n%len(others)]
		group.Go(func() error {
			s := other.spec(fmt.Sprintf("api-1-%d", n+1), engine.Component{Env: map[string]string{"VERSION": fmt.Sprint(n)}})
			if err := other.Create(h.ctx, s); err != nil {
				return err
			}
			if err := other.Start(h.ctx, s.Key, node.Secrets{}); err != nil {
				return err
			}
			found, err := other.Admit(h.ctx, guest.deployment, other.deployment, []node.Door{{Instance: s.Key.Name, Port: 8080}})
			addresses[n] = strings.Join(found, " ")
			return err
		})
	}
	h.ok(group.Wait())
	for n, address := range addresses {
		h.reaches(proxy, address, fmt.Sprint(n))
	}
	for _, other := range others {
		group.Go(func() error { return other.RemoveDeployment(h.ctx, other.deployment, nil) })
	}
	h.ok(group.Wait())
	h.state(proxy, node.Running)
}
