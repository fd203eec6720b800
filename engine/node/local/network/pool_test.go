package network

import (
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestPoolTakesTurns(t *testing.T) {
	l, err := newLayout(netip.MustParsePrefix("10.1.2.99/26"))
	must(t, err)
	if l.gateway.String() != "10.1.2.65" || l.hub.String() != "10.1.2.66" || l.host.String() != "10.1.2.67" {
		t.Errorf("layout is %+v", l)
	}
	p := newPool(l.subnet)
	var first netip.Addr
	const room = 64 - reserved - 1
	for i := range room {
		addr, err := p.take()
		must(t, err)
		if i == 0 {
			first = addr
		}
	}
	if first.String() != "10.1.2.80" {
		t.Errorf("the first instance is at %s", first)
	}
	if _, err := p.take(); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a full pool answers %v", err)
	}
	p.release(first)
	if again, err := p.take(); err != nil || again != first {
		t.Errorf("the only free address is %s, got %s, %v", first, again, err)
	}
}

func TestPoolProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subnet := netip.MustParsePrefix("10.1.2.0/26")
		p := newPool(subnet)
		held := map[netip.Addr]bool{}
		released := map[netip.Addr]int{} // by when, in takes
		takes := 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "take") && len(held) < 20 {
				addr, err := p.take()
				if err != nil {
					t.Fatal(err)
				}
				takes++
				if held[addr] || !subnet.Contains(addr) || addr.As4()[3] < reserved || addr.As4()[3] == 63 {
					t.Fatalf("%s is not free", addr)
				}
				if at, ok := released[addr]; ok && takes-at < 64-reserved-1-20 {
					t.Fatalf("%s came back after %d others", addr, takes-at)
				}
				held[addr] = true
			} else {
				for addr := range held {
					p.release(addr)
					delete(held, addr)
					released[addr] = takes
					break
				}
			}
		}
	})
}

func TestSubnetsThatDoNotServe(t *testing.T) {
	for _, s := range []string{"10.0.0.0/27", "fd00::/64"} {
		if _, err := newLayout(netip.MustParsePrefix(s)); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: %v", s, err)
		}
	}
}
