package supervisor

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/network"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// doors are what lets guests in, see node.Driver.Admit.
type doors struct {
	s *Supervisor

	mu     sync.Mutex
	all    map[state.Door]*door
	closed bool
}

func newDoors(s *Supervisor) (*doors, error) {
	known, err := state.ReadDoors(s.place)
	d := &doors{s: s, all: map[state.Door]*door{}}
	for _, one := range known {
		d.all[one] = newDoor(s, one)
	}
	return d, err
}

// admit opens doors beside those that there are. One whose instance takes
// connections is open when it returns.
func (d *doors) admit(wanted []state.Door) error {
	for _, w := range wanted {
		if err := w.Check(d.s.place); err != nil {
			return err
		}
	}
	fresh, err := d.add(wanted)
	for _, one := range fresh {
		one.tend()
	}
	return err
}

func (d *doors) add(wanted []state.Door) ([]*door, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.New("the supervisor ends")
	}
	known := len(d.all)
	all := make([]*door, 0, len(wanted))
	for _, w := range wanted {
		if d.all[w] == nil {
			d.all[w] = newDoor(d.s, w)
		}
		all = append(all, d.all[w])
	}
	if len(d.all) == known {
		return all, nil
	}
	return all, d.remember()
}

// remember needs d.mu.
func (d *doors) remember() error {
	list := make([]state.Door, 0, len(d.all))
	for one := range d.all {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b state.Door) int {
		return cmp.Or(cmp.Compare(a.Guest, b.Guest), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Port, b.Port))
	})
	return state.WriteDoors(d.s.place, list)
}

// refresh follows instances that came, went or are about to end.
func (d *doors) refresh() {
	for _, one := range d.list() {
		one.refresh()
	}
}

// forwarders are what carries the connections of guests.
func (d *doors) forwarders() []*network.Forwarder {
	var all []*network.Forwarder
	for _, one := range d.list() {
		all = append(all, one.traffic)
	}
	return all
}

func (d *doors) list() []*door {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*door, 0, len(d.all))
	for _, one := range d.all {
		all = append(all, one)
	}
	return all
}

// forget removes the doors of an instance that was removed.
func (d *doors) forget(instance string) {
	for _, one := range d.take(instance) {
		one.close()
		if err := os.Remove(one.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.s.logf("%v", err)
		}
	}
}

func (d *doors) take(instance string) []*door {
	d.mu.Lock()
	defer d.mu.Unlock()
	var taken []*door
	for which, one := range d.all {
		if which.Instance == instance {
			taken = append(taken, one)
			delete(d.all, which)
		}
	}
	if len(taken) > 0 {
		if err := d.remember(); err != nil {
			d.s.logf("%v", err)
		}
	}
	return taken
}

func (d *doors) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	for _, one := range d.list() {
		one.close()
	}
}
