package supervisor

import (
	"io"
	"os"
	"syscall"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/logfile"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/process"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// Output limits when the component names none (schema.md, logging).
const (
	defaultLogSize  = 10 << 20
	defaultLogFiles = 3
)

// launch starts the first process once; logged is closed when all its output is kept.
func (i *instance) launch() (p *process.Process, logged <-chan struct{}, err error) {
	i.mu.Lock()
	record, secrets, command, endpoint := i.record, i.secrets, i.command, i.endpoint
	i.mu.Unlock()
	root, err := i.s.rootOf(i.place, record, secrets, endpoint.IP)
	if err != nil {
		return nil, nil, err
	}
	log, err := i.openLog(record.Spec.Component.Logging)
	if err != nil {
		return nil, nil, err
	}
	output, input, err := os.Pipe()
	if err != nil {
		log.Close()
		return nil, nil, err
	}
	command.Output = input
	p, err = process.Launch(endpoint.FD, root, command)
	input.Close()
	if err != nil {
		output.Close()
		log.Close()
		return nil, nil, err
	}
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		_, _ = io.Copy(log, output)
		output.Close()
		log.Close()
	}()
	return p, kept, nil
}

func (i *instance) openLog(l *engine.Logging) (*logfile.Writer, error) {
	size, files := int64(defaultLogSize), defaultLogFiles
	if l != nil {
		var err error
		if size, err = engine.ParseSize("logging.max_size", l.MaxSize, size); err != nil {
			return nil, err
		}
		if l.MaxFiles != nil {
			files = *l.MaxFiles
		}
	}
	return logfile.Open(i.s.place.Log(i.place.Name()), size, files)
}

// live waits for ends and starts the instance again, until it is to stay ended.
func (i *instance) live(p *process.Process, logged <-chan struct{}) {
	defer close(i.done)
	var pause backoff
	group, kills := i.group, i.oomKills // nobody changes them while the instance lives
	for {
		code, lived := i.wait(p)
		<-logged // whoever hears of the end finds its last words
		before := kills
		kills = group.OOMKills()
		killed := kills > before
		again := i.again(code)
		i.ended(code, killed, again)
		for {
			if !again {
				return
			}
			select {
			case <-i.quit:
				i.ended(code, killed, false)
				return
			case <-i.s.after(pause.next(lived)):
			}
			var err error
			if p, logged, err = i.launch(); err == nil {
				break
			}
			lived = 0
			i.change(func(s *state.Status) { s.Error = err.Error() })
		}
		i.started(p, 1)
		if i.quitting() {
			_ = p.Kill() // it was asked to end while it was being started
		}
	}
}

func (i *instance) quitting() bool {
	select {
	case <-i.quit:
		return true
	default:
		return false
	}
}

// wait waits for the end: 128 and the signal's number where a signal did it.
func (i *instance) wait(p *process.Process) (code int, lived time.Duration) {
	begun := i.s.now()
	ended, err := p.Wait()
	lived = i.s.now().Sub(begun)
	i.mu.Lock()
	i.running = nil
	i.mu.Unlock()
	p.PIDFD.Close()
	if err != nil {
		i.s.logf("instance %s: %v", i.place.Name(), err)
		return -1, lived
	}
	return exitCode(ended), lived
}

func exitCode(ended *os.ProcessState) int {
	if w, ok := ended.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return ended.ExitCode()
}

func (i *instance) started(p *process.Process, restarts int) {
	i.mu.Lock()
	i.running = p
	i.mu.Unlock()
	i.change(func(s *state.Status) {
		s.State, s.Wanted, s.Error = node.Running, engine.StateRunning, ""
		s.StartedAt = i.s.now().UTC()
		s.Restarts += restarts
	})
	i.s.changed(i, node.EventStarted)
}

func (i *instance) ended(code int, killed, again bool) {
	i.change(func(s *state.Status) {
		s.State, s.ExitCode, s.OOMKilled = node.Exited, code, killed
		if again {
			s.State = node.Restarting
		}
	})
	i.s.changed(i, node.EventDied)
}
