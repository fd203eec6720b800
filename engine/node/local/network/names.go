package network

import (
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// names is the table of the deployment's names, replaced as a whole.
type names struct {
	table atomic.Pointer[map[string][]netip.Addr]
}

func (n *names) set(table map[string][]netip.Addr) {
	own := make(map[string][]netip.Addr, len(table))
	for name, addrs := range table {
		own[strings.ToLower(name)] = slices.Clone(addrs)
	}
	n.table.Store(&own)
}

// lookup answers the addresses of a lower-case name, which are not the
// caller's to change, and whether there is such a name.
func (n *names) lookup(name string) ([]netip.Addr, bool) {
	table := n.table.Load()
	if table == nil {
		return nil, false
	}
	addrs, ok := (*table)[name]
	return addrs, ok
}
