package fake

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

func (d *driver) Watch(ctx context.Context, deployment string) (<-chan node.Event, error) {
	ch := make(chan node.Event, 16)
	d.node.mu.Lock()
	d.node.watchers[ch] = deployment
	d.node.mu.Unlock()
	context.AfterFunc(ctx, func() {
		d.node.mu.Lock()
		defer d.node.mu.Unlock()
		delete(d.node.watchers, ch)
		close(ch)
	})
	return ch, nil
}

func (d *driver) Inspect(_ context.Context, key node.Key) (node.Instance, error) {
	d.node.mu.Lock()
	defer d.node.mu.Unlock()
	i, err := d.node.get(key)
	if err != nil {
		return node.Instance{}, err
	}
	return i.state, nil
}

// Exec ends as the command's first word says, else as a check does: "fails" with code
// 7 and the rest as its output, "hangs" with its context.
func (d *driver) Exec(ctx context.Context, key node.Key, command []string) (node.ExecResult, error) {
	if err := d.quiet(ctx, "exec", key.Name+" "+strings.Join(command, " ")); err != nil {
		return node.ExecResult{}, err
	}
	switch command[0] {
	case "fails":
		return node.ExecResult{ExitCode: 7, Output: strings.Join(command[1:], " ") + "\n"}, nil
	case "hangs":
		<-ctx.Done()
		return node.ExecResult{}, ctx.Err()
	}
	ok, err := d.probe(key)
	if err != nil {
		return node.ExecResult{}, err
	}
	if !ok {
		return node.ExecResult{ExitCode: 1, Output: "not well"}, nil
	}
	return node.ExecResult{}, nil
}

func (d *driver) Logs(_ context.Context, key node.Key, lines int) ([]string, error) {
	all := []string{"starting " + key.Name, "last words of " + key.Name}
	return all[max(0, len(all)-lines):], nil
}

// Dial answers HTTP as the instance's behaviour says.
func (d *driver) Dial(ctx context.Context, key node.Key, _ string, _ int) (net.Conn, error) {
	if err := d.quiet(ctx, "dial", key.Name); err != nil {
		return nil, err
	}
	ok, err := d.probe(key)
	if err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	go answer(theirs, ok)
	return ours, nil
}

func answer(conn net.Conn, ok bool) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil { // one who still writes would not listen
		return
	}
	status := http.StatusOK
	if !ok {
		status = http.StatusServiceUnavailable
	}
	fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\n\r\n", status, http.StatusText(status))
}

// probe looks at an instance as a check would, and lets time pass for those
// that die soon.
func (d *driver) probe(key node.Key) (ok bool, err error) {
	d.node.mu.Lock()
	defer d.node.mu.Unlock()
	i, err := d.node.get(key)
	if err != nil {
		return false, err
	}
	if i.state.State != node.Running {
		return false, fmt.Errorf("connect to %s: connection refused", key.Name)
	}
	i.probes++
	switch i.spec.Env[BehaviourVariable] {
	case Sick:
		return false, nil
	case DiesSoon:
		if i.probes > 2 {
			i.state.State, i.state.ExitCode = node.Exited, 4
			d.node.tell(key, node.EventDied)
			return false, fmt.Errorf("connect to %s: connection reset", key.Name)
		}
	}
	return true, nil
}
