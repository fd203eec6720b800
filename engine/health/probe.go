package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Target is the instance that is probed.
type Target interface {
	// Dial connects to a port of the instance; network is tcp.
	Dial(ctx context.Context, network string, port int) (net.Conn, error)
	// Exec runs a command inside the instance, answers its output and exit code,
	// and kills the command's whole process tree when ctx ends. err means that
	// it could not be run.
	Exec(ctx context.Context, command []string) (exitCode int, output string, err error)
}

// Probe carries out the check once, at most for timeout. ports are the
// component's, for a check that names its port. It returns as soon as ctx ends,
// with a result that is not OK.
func Probe(ctx context.Context, t Target, ports map[string]engine.Port, c engine.HealthCheck, timeout time.Duration) Result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	p := probe{target: t, ports: ports, timeout: timeout}
	var message string
	var ok bool
	switch {
	case c.HTTP != nil:
		message, ok = p.http(ctx, *c.HTTP)
	case c.TCP != nil:
		message, ok = p.tcp(ctx, *c.TCP)
	case c.Exec != nil:
		message, ok = p.exec(ctx, *c.Exec)
	default:
		message = "the check has neither http nor tcp nor exec"
	}
	return Result{OK: ok, Message: message, At: SystemClock{}.Now()}
}

type probe struct {
	target  Target
	ports   map[string]engine.Port
	timeout time.Duration
}

// port is the container port with that number, or else with that name.
func (p probe) port(number int, name string) (int, error) {
	if number != 0 {
		return number, nil
	}
	named, known := p.ports[name]
	if !known {
		return 0, fmt.Errorf("the component has no port called %q", name)
	}
	return named.ContainerPort, nil
}

func (p probe) tcp(ctx context.Context, c engine.TCPCheck) (string, bool) {
	port, err := p.port(c.Port, c.PortName)
	if err != nil {
		return err.Error(), false
	}
	conn, err := p.target.Dial(ctx, "tcp", port)
	if err != nil {
		return p.dialFailure(ctx, port, err), false
	}
	conn.Close()
	return fmt.Sprintf("port %d accepted a connection", port), true
}

func (p probe) exec(ctx context.Context, c engine.ExecCheck) (string, bool) {
	if len(c.Command) == 0 {
		return "the check has no command", false
	}
	name := c.Command[0] // arguments may hold what should not be shown
	code, output, err := p.target.Exec(ctx, c.Command)
	switch {
	case ctx.Err() != nil:
		return p.interrupted(ctx, name+" did not end"), false
	case err != nil:
		return fmt.Sprintf("%s could not be run: %v", name, err), false
	case code != 0:
		return withDetail(fmt.Sprintf("%s ended with exit code %d", name, code), tail(output)), false
	}
	return name + " ended with exit code 0", true
}

// dialFailure says why no connection came about.
func (p probe) dialFailure(ctx context.Context, port int, err error) string {
	switch {
	case ctx.Err() != nil:
		return p.interrupted(ctx, fmt.Sprintf("port %d did not accept a connection", port))
	case refused(err):
		return fmt.Sprintf("port %d refused the connection", port)
	}
	return fmt.Sprintf("port %d cannot be reached: %v", port, err)
}

// interrupted tells a timeout from an end of the whole wait.
func (p probe) interrupted(ctx context.Context, what string) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("%s within %s", what, p.timeout)
	}
	return what + " before the check was cancelled"
}

// refused also looks at the text, for networks that are not the kernel's.
func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(err.Error(), "refused")
}

// maxDetail is how many bytes of an answer or of output a message repeats.
const maxDetail = 200

func withDetail(message, detail string) string {
	if detail == "" {
		return message
	}
	return message + ": " + detail
}

// head is the first bytes of the text on one line.
func head(text []byte) string { return oneLine(string(text[:min(len(text), maxDetail)])) }

// tail is the last bytes of the text on one line.
func tail(text string) string { return oneLine(text[max(0, len(text)-maxDetail):]) }

// oneLine makes text of unknown origin fit into a message.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
