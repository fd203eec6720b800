package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/cgroup"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/network"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// linger is how long a supervisor without instances waits for new ones.
const linger = 2 * time.Second

// Run supervises the sandbox in dir until its last instance is removed, it is told
// to end, or ctx ends; then it stops the instances with their grace. The process
// must be the first of its pid namespace, in user and mount namespaces of its own.
// It tells on ready whether it began: nothing, or a JSON control.Failure.
func Run(ctx context.Context, dir string, ready *os.File) error {
	s, alive, err := prepare(state.Sandbox{Dir: dir})
	tell(ready, err)
	if err != nil {
		return err
	}
	defer alive.Close()
	defer s.network.Close()
	defer s.traffic.close()
	defer s.doors.close()
	listener, err := control.Listen(s.place.Socket(), 0o600)
	tell(ready, err)
	ready.Close()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM)
	defer stop()
	signal.Ignore(unix.SIGINT, unix.SIGHUP)
	go s.serve(listener)
	debug.FreeOSMemory() // what starting took is not needed again
	s.untilDone(ctx)
	listener.Close()
	cgroup.Remove(s.groups)
	return nil
}

func prepare(place state.Sandbox) (*Supervisor, *os.File, error) {
	// The runtime tries once in its life how to wait for processes, with a
	// child. It must not be the first child in an instance's pid namespace.
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Release()
	}
	debug.SetGCPercent(50) // small before quick
	unix.Umask(0o022)
	if err := unix.Chdir("/"); err != nil {
		return nil, nil, err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return nil, nil, fmt.Errorf("leaving the node's mounts: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return nil, nil, &engine.Error{Class: engine.ErrUnavailable, Reason: "the kernel refused a new /proc", Err: err,
			Hint: "parts of /proc are hidden here, as in most containers: run the engine outside of them, or use a docker node"}
	}
	alive, err := state.HoldAlive(place)
	if err != nil {
		return nil, nil, err
	}
	s, err := newSupervisor(place)
	if err != nil {
		alive.Close()
	}
	return s, alive, err
}

func newSupervisor(place state.Sandbox) (*Supervisor, error) {
	label, err := state.ReadLabel(place)
	if err != nil {
		return nil, err
	}
	old, err := state.ReadCgroups(place)
	if err != nil {
		return nil, err
	}
	cgroup.Remove(old) // of a supervisor that was killed
	net, err := network.New(network.Options{})
	if err != nil {
		return nil, fmt.Errorf("making the network: %w", err)
	}
	s := &Supervisor{
		place: place, root: state.Root{Dir: label.Root}, label: label,
		users: manyUsers(), network: net, tree: cgroup.Find(),
		now: time.Now, after: time.After, quit: make(chan struct{}),
		instances: map[string]*instance{}, watchers: map[chan node.Event]struct{}{}, groups: old,
	}
	cgroup.Leave() // after the tree was found: limits that hold around us hold on
	s.traffic, err = newTraffic(s)
	if err == nil {
		s.doors, err = newDoors(s)
	}
	if err != nil {
		return nil, errors.Join(err, net.Close())
	}
	return s, nil
}

// manyUsers reports whether this user namespace has more than one user.
func manyUsers() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	var inside, outside, size int64
	_, err = fmt.Sscan(string(text), &inside, &outside, &size)
	return err == nil && size > 1
}

func tell(ready *os.File, err error) {
	if err != nil {
		_ = json.NewEncoder(ready).Encode(control.Fail(err)) // the log has it too
	}
}

// untilDone waits for the end of the work.
func (s *Supervisor) untilDone(ctx context.Context) {
	for {
		select {
		case <-s.quit:
			return
		case <-ctx.Done():
			s.shutdown(true)
			return
		case <-s.after(linger):
		}
		if s.idle() {
			return
		}
	}
}
