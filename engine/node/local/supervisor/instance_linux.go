package supervisor

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/cgroup"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/network"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/process"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// instance is one instance that this supervisor was asked to start.
type instance struct {
	s     *Supervisor
	place state.Instance

	op sync.Mutex // one start, stop or removal at a time

	mu       sync.Mutex // guards what follows
	record   state.Record
	status   state.Status
	secrets  node.Secrets
	endpoint *network.Endpoint
	group    *cgroup.Group
	oomKills int // of the group, before this life
	command  process.Command
	running  *process.Process
	quit     chan struct{}      // closed to end the life
	done     chan struct{}      // closed when it ended; nil before the first
	verdicts map[string]verdict // by check, of this life
	healed   bool               // for a check that has not passed since
	healing  bool               // the end that comes is wanted, to start again
}

// start starts the instance unless it lives, and keeps it alive from then on.
func (i *instance) start(secrets node.Secrets) error {
	i.op.Lock()
	defer i.op.Unlock()
	if i.lives() {
		return nil
	}
	if err := i.prepare(secrets); err != nil {
		i.fail(err)
		return err
	}
	p, log, err := i.launch()
	if err != nil {
		i.fail(err)
		return err
	}
	i.mu.Lock()
	i.quit, i.done = make(chan struct{}), make(chan struct{})
	i.mu.Unlock()
	i.started(p, 0)
	i.startChecks()
	go i.live(p, log)
	return nil
}

// prepare reads what the instance is and makes its place in the network and its limits.
func (i *instance) prepare(secrets node.Secrets) error {
	record, _, err := state.ReadRecord(i.place)
	if errors.Is(err, os.ErrNotExist) {
		return engine.NotFound("instance", i.place.Name())
	}
	if err != nil {
		return err
	}
	command, err := i.s.commandOf(record, secrets)
	if err != nil {
		return err
	}
	endpoint, err := i.s.network.Attach(i.place.Name())
	if err != nil {
		return err
	}
	group, err := i.s.groupOf(record)
	if err != nil {
		return err
	}
	command.Group = group
	i.s.rememberGroups(group)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.record, i.secrets, i.command, i.endpoint = record, secrets, command, endpoint
	i.group, i.oomKills = group, group.OOMKills()
	return nil
}

func (i *instance) lives() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.done == nil {
		return false
	}
	select {
	case <-i.done:
		return false
	default:
		return true
	}
}

// stop ends the instance with its stop signal and keeps it; wanted says whether
// it is to stay so.
func (i *instance) stop(wanted string) {
	i.op.Lock()
	defer i.op.Unlock()
	i.mu.Lock()
	c, image := i.record.Spec.Component, i.record.Image
	i.mu.Unlock()
	grace, err := engine.ParseDuration("stop_grace_period", c.StopGracePeriod, 10*time.Second)
	if err != nil {
		grace = 10 * time.Second
	}
	i.change(func(s *state.Status) { s.Wanted = wanted })
	i.end(SignalNumber(first(c.StopSignal, image.StopSignal), unix.SIGTERM), grace)
}

// end ends the present life, by force when the signal does not do it in time.
func (i *instance) end(signal unix.Signal, grace time.Duration) {
	i.mu.Lock()
	p, quit, done := i.running, i.quit, i.done
	i.mu.Unlock()
	if !i.lives() {
		return
	}
	close(quit)
	i.s.doors.refresh()
	late := i.s.after(grace)
	if p != nil {
		i.s.deliver(p.Process, signal, done, late)
	}
	select {
	case <-done:
		return
	case <-late:
	}
	if p != nil {
		_ = p.Kill()
	}
	<-done
}

// remove ends the instance at once and removes all of it but volumes and logs.
func (i *instance) remove() error {
	i.op.Lock()
	defer i.op.Unlock()
	i.end(unix.SIGKILL, time.Minute)
	i.mu.Lock()
	group := i.group
	i.endpoint, i.group = nil, nil
	i.mu.Unlock()
	err := i.s.network.Detach(i.place.Name())
	if group != nil {
		group.Remove()
	}
	return errors.Join(err, state.RemoveAll(i.place.Dir))
}

// fail remembers why the instance could not be started.
func (i *instance) fail(err error) {
	i.change(func(s *state.Status) {
		s.Error = err.Error()
		s.Wanted = engine.StateRunning
		if s.State != node.Created {
			s.State = node.Exited
		}
	})
}

// change changes the status, in memory and on disk.
func (i *instance) change(f func(*state.Status)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f(&i.status)
	if err := state.WriteStatus(i.place, i.status); err != nil {
		i.s.logf("instance %s: %v", i.place.Name(), err)
	}
}

// tell reports the instance to drivers.
func (i *instance) tell() control.Status {
	i.mu.Lock()
	defer i.mu.Unlock()
	v := worst(i.verdicts, i.status.State == node.Running)
	t := control.Status{Status: i.status, Health: string(v.state), HealthMessage: healthMessage(v, len(i.status.Heals))}
	if i.endpoint != nil {
		t.Address = i.endpoint.IP.String()
	}
	if i.homeless() {
		record := i.record
		t.Record = &record
	}
	return t
}

// homeless says that the instance lives, but that somebody removed its directory.
func (i *instance) homeless() bool {
	if i.status.State != node.Running && i.status.State != node.Restarting {
		return false // it may be on its way out
	}
	_, err := os.Stat(i.place.RecordFile())
	return errors.Is(err, os.ErrNotExist)
}

// address is where the instance takes traffic, invalid when it does not.
func (i *instance) address() netip.Addr {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.endpoint == nil || (i.status.State != node.Running && i.status.State != node.Restarting) {
		return netip.Addr{}
	}
	return i.endpoint.IP
}

// welcomes is where the instance takes new connections, invalid when it does not,
// or is about to end.
func (i *instance) welcomes() netip.Addr {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.endpoint == nil || i.status.State != node.Running || i.healing || i.quitting() {
		return netip.Addr{}
	}
	return i.endpoint.IP
}

func (i *instance) errorf(format string, args ...any) error {
	return &engine.Error{Class: engine.ErrUnavailable, Reason: fmt.Sprintf("instance %s ", i.place.Name()) + fmt.Sprintf(format, args...)}
}

// kill ends the instance at once; what it should do stays as it is.
func (i *instance) kill() {
	i.op.Lock()
	defer i.op.Unlock()
	i.end(unix.SIGKILL, time.Minute)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.group != nil {
		i.group.Remove()
	}
}

// known says that this supervisor has seen the instance live, or was told that it
// is not to: of any other one the disk knows more.
func (i *instance) known() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.done != nil || i.status.Wanted != engine.StateRunning
}
