package supervisor

import (
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/cgroup"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/network"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// Supervisor keeps the instances of one deployment.
type Supervisor struct {
	place   state.Sandbox
	root    state.Root
	label   state.Label
	users   bool // ids can be changed: started by root
	network *network.Network
	tree    cgroup.Tree
	traffic *traffic
	doors   *doors
	now     func() time.Time
	after   func(time.Duration) <-chan time.Time
	quit    chan struct{}
	quitted sync.Once

	mu        sync.Mutex // guards what follows
	instances map[string]*instance
	watchers  map[chan node.Event]struct{}
	groups    []string
	busy      int // connections being served
}

// instance finds one that has a directory, known or not.
func (s *Supervisor) instance(name string) (*instance, error) {
	if err := state.CheckName(name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.instances[name]; i != nil {
		return i, nil
	}
	place := s.place.Instance(name)
	status, err := state.ReadStatus(place)
	if errors.Is(err, os.ErrNotExist) {
		return nil, engine.NotFound("instance", name)
	}
	if err != nil {
		s.logf("instance %s: %v", name, err)
	}
	record, _, err := state.ReadRecord(place)
	if err != nil {
		return nil, fmt.Errorf("reading what instance %s is: %w", name, err)
	}
	i := &instance{s: s, place: place, status: status, record: record}
	s.instances[name] = i
	return i, nil
}

func (s *Supervisor) start(name string, secrets node.Secrets) error {
	i, err := s.instance(name)
	if err != nil {
		return err
	}
	return i.start(secrets)
}

func (s *Supervisor) stop(name string) error {
	i, err := s.instance(name)
	if err != nil {
		return err
	}
	i.stop(engine.StateStopped)
	return nil
}

// remove removes one instance; one that is gone is fine.
func (s *Supervisor) remove(name string) error {
	i, err := s.instance(name)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := i.remove(); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.instances, name)
	s.mu.Unlock()
	s.traffic.forget(name)
	s.doors.forget(name)
	s.changed(i, node.EventRemoved)
	return nil
}

// changed tells watchers, and lets traffic follow.
func (s *Supervisor) changed(i *instance, kind node.EventKind) {
	s.traffic.refresh()
	s.doors.refresh()
	s.mu.Lock()
	defer s.mu.Unlock()
	event := node.Event{Key: node.Key{Deployment: s.label.Deployment, Name: i.place.Name()}, Kind: kind}
	for w := range s.watchers {
		select {
		case w <- event:
		default: // a slow reader loses events
		}
	}
}

func (s *Supervisor) status() control.Reply {
	reply := control.Reply{Instances: map[string]control.Status{}, Listeners: s.traffic.listeners()}
	for _, i := range s.all() {
		if i.known() {
			reply.Instances[i.place.Name()] = i.tell()
		}
	}
	return reply
}

// address tells where an instance takes traffic.
func (s *Supervisor) address(name string) *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.instances[name]
}

// idle reports whether there is nothing to supervise: neither on disk, nor alive
// though somebody removed its directory.
func (s *Supervisor) idle() bool {
	names, err := s.place.Names()
	if err != nil || len(names) > 0 || slices.ContainsFunc(s.all(), (*instance).lives) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy == 0
}

// all are the instances that this supervisor knows.
func (s *Supervisor) all() []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.instances))
}

// shutdown ends every instance, the gentle way or at once, and the supervisor.
func (s *Supervisor) shutdown(gently bool) {
	var wait sync.WaitGroup
	for _, i := range s.all() {
		wait.Go(func() {
			if gently {
				i.stop(engine.StateRunning) // it should run: the next apply starts it again
			} else {
				i.kill()
			}
		})
	}
	wait.Wait()
	s.quitted.Do(func() { close(s.quit) })
}

// rememberGroups writes down which control groups exist, for whoever cleans up
// after a supervisor that was killed.
func (s *Supervisor) rememberGroups(g *cgroup.Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, dir := range g.Dirs() {
		if !slices.Contains(s.groups, dir) {
			s.groups = append(s.groups, dir)
		}
	}
	if len(s.groups) == 0 {
		return
	}
	if err := state.WriteCgroups(s.place, s.groups); err != nil {
		s.logf("%v", err)
	}
}

func (s *Supervisor) logf(format string, args ...any) { log.Printf(format, args...) }
