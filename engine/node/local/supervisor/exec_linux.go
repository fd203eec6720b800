package supervisor

import (
	"context"
	"crypto/rand"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/process"
)

// lastWords is how long output is waited for after a command has ended: what it
// left running in the background may hold its output for ever.
const lastWords = 200 * time.Millisecond

// exec runs a command inside a running instance; when ctx ends, the command and
// everything it started is killed.
func (s *Supervisor) exec(ctx context.Context, name string, args []string) (control.Exec, error) {
	if len(args) == 0 {
		return control.Exec{}, engine.Invalid("command", "a command must not be empty")
	}
	i, err := s.instance(name)
	if err != nil {
		return control.Exec{}, err
	}
	i.mu.Lock()
	first, command := i.running, i.command
	i.mu.Unlock()
	if first == nil {
		return control.Exec{}, i.errorf("is not running")
	}
	mark := rand.Text()
	command.Args = args
	command.Env = append(slices.Clone(command.Env), process.MarkVariable+"="+mark)
	output, input, err := os.Pipe()
	if err != nil {
		return control.Exec{}, err
	}
	defer output.Close()
	command.Output = input
	p, err := process.Join(first, command)
	input.Close()
	if err != nil {
		return control.Exec{}, err
	}
	defer p.PIDFD.Close()
	said := newTail()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		said.readFrom(output)
	}()
	ended := make(chan int, 1)
	go func() { ended <- waitFor(p) }()
	select {
	case code := <-ended:
		select {
		case <-heard:
		case <-s.after(lastWords):
		}
		return control.Exec{ExitCode: code, Output: said.bytes()}, nil
	case <-ctx.Done():
		err := process.KillTree(p.Pid, mark, func(d time.Duration) { <-s.after(d) })
		if err != nil {
			s.logf("instance %s: %v", name, err)
		}
		<-ended
		return control.Exec{}, ctx.Err()
	}
}

func waitFor(p *process.Process) int {
	state, err := p.Wait()
	if err != nil {
		return -1
	}
	return exitCode(state)
}

// maxOutput is how much of a command's output is kept (node.ExecResult).
const maxOutput = 4 << 10

// tail keeps the last bytes of an output.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func newTail() *tail { return &tail{} }

func (t *tail) readFrom(f *os.File) {
	buffer := make([]byte, maxOutput)
	for {
		n, err := f.Read(buffer)
		t.mu.Lock()
		t.text = append(t.text, buffer[:n]...)
		t.text = t.text[max(0, len(t.text)-maxOutput):]
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.text)
}
