package supervisor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
)

// serve answers drivers until the listener is closed.
func (s *Supervisor) serve(l *net.UnixListener) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.logf("accepting drivers: %v", err)
			}
			return
		}
		go s.converse(c)
	}
}

func (s *Supervisor) converse(c *net.UnixConn) {
	defer c.Close()
	s.count(1)
	defer s.count(-1)
	if !control.SameUser(c) {
		return
	}
	var request control.Request
	files, err := control.Receive(c, &request)
	if err != nil {
		return
	}
	defer closeAll(files)
	// A driver sends nothing more: an end of its side means that it is gone.
	ctx, gone := context.WithCancel(context.Background())
	defer gone()
	go func() {
		_, _ = c.Read(make([]byte, 1))
		gone()
	}()
	if request.Op == control.OpWatch {
		s.watch(ctx, c)
		return
	}
	reply, passed, err := s.answer(ctx, request, files)
	reply.Version, reply.Error = control.Version, control.Fail(err)
	_ = control.Send(c, reply, passed...) // a driver that is gone needs no answer
	closeAll(passed)
}

func (s *Supervisor) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy += n
}

func (s *Supervisor) answer(ctx context.Context, r control.Request, files []*os.File) (reply control.Reply, passed []*os.File, err error) {
	switch r.Op {
	case control.OpStatus:
		return s.status(), nil, nil
	case control.OpStart:
		return reply, nil, s.start(r.Instance, r.Secrets)
	case control.OpStop:
		return reply, nil, s.stop(r.Instance)
	case control.OpRemove:
		return reply, nil, s.remove(r.Instance)
	case control.OpRoute:
		if r.Routes == nil {
			return reply, nil, engine.Invalid("routes", "a table is missing")
		}
		return reply, nil, s.traffic.set(*r.Routes, r.Listeners, files)
	case control.OpAdmit:
		return reply, nil, s.doors.admit(r.Doors)
	case control.OpRelease:
		s.traffic.release(r.Listeners)
		return reply, nil, nil
	case control.OpDrain:
		return reply, nil, s.traffic.drain(ctx, r.Instance)
	case control.OpExec:
		result, err := s.exec(ctx, r.Instance, r.Command)
		reply.Exec = &result
		return reply, nil, err
	case control.OpDial:
		f, err := s.dial(ctx, r.Instance, r.Network, r.Port)
		if err != nil {
			return reply, nil, err
		}
		return reply, []*os.File{f}, nil
	case control.OpShutdown:
		s.shutdown(false)
		return reply, nil, nil
	}
	return reply, nil, engine.Unsupported("", "this supervisor does not know "+string(r.Op), "apply once with desired_state stopped: that ends it")
}

func (s *Supervisor) dial(ctx context.Context, name, network string, port int) (*os.File, error) {
	i, err := s.instance(name)
	if err != nil {
		return nil, err
	}
	address := i.address()
	if !address.IsValid() {
		return nil, i.errorf("is not running")
	}
	f, err := s.network.DialFile(ctx, netip.AddrPortFrom(address, uint16(port)), network)
	if err != nil {
		return nil, &engine.Error{Class: engine.ErrUnavailable, Reason: control.DialReason(err), Err: err}
	}
	return f, nil
}

// watch streams events until the driver is gone.
func (s *Supervisor) watch(ctx context.Context, c *net.UnixConn) {
	events := make(chan node.Event, 256)
	s.mu.Lock()
	s.watchers[events] = struct{}{}
	s.busy-- // a watcher does not keep a supervisor alive that has nothing to do
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.watchers, events)
		s.busy++
		s.mu.Unlock()
	}()
	// The first reply says that nothing is missed from here on.
	if control.Send(c, control.Reply{Version: control.Version}) != nil {
		return
	}
	for {
		select {
		case e := <-events:
			if control.Send(c, control.Reply{Version: control.Version, Event: &e}) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-s.quit:
			return
		}
	}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
