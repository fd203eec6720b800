package ingress

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// parrot is an instance that says every line again, with its name, until nobody
// says anything more, and its address.
func parrot(t testing.TB, name string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				lines := bufio.NewScanner(conn)
				for lines.Scan() {
					_, _ = fmt.Fprintln(conn, name, lines.Text())
				}
			}()
		}
	}()
	return l.Addr().String()
}

// piped is an ingress that passes connections on to an instance.
type piped struct {
	*proxy
	site Site
}

func startPiped(t *testing.T, address string) piped {
	port := freePort(t)
	p := piped{proxy: start(t, func(in *Input) { in.Node.TCPPorts = []int{port} }), site: site("db", "", "", address)}
	p.site.Route.Protocol, p.site.Route.ListenPort = engine.RouteTCP, port
	p.load(p.site)
	return p
}

func (p *piped) leadTo(backends ...Backend) {
	p.t.Helper()
	p.site.Backends = backends
	p.load(p.site)
}

func (p piped) connect() *net.TCPConn {
	p.t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.site.Route.ListenPort))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn) //nolint:errcheck // as dialled
}

func (p piped) says(conn net.Conn, name string) {
	p.t.Helper()
	_, _ = fmt.Fprintln(conn, "hello")
	if got, err := bufio.NewReader(conn).ReadString('\n'); err != nil || got != name+" hello\n" {
		p.t.Errorf("heard %q, %v", got, err)
	}
}

func TestTCPRoute(t *testing.T) {
	t.Parallel()
	p := startPiped(t, parrot(t, "old"))
	if err := errors.Join(p.router.Answers(t.Context(), p.site), p.front.Answers(t.Context(), p.site)); err != nil {
		t.Error(err)
	}
	before := p.connect()
	p.says(before, "old")
	p.leadTo(Backend{Address: parrot(t, "new")})
	p.says(p.connect(), "new")
	p.says(before, "old")
	p.leadTo()
	if err := p.router.Answers(t.Context(), p.site); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
	p.says(before, "old")
}

// busy asks whether connections to the address are under way.
func (p piped) busy(address string) bool {
	p.t.Helper()
	all, err := p.router.Busy(p.t.Context(), []Upstream{{Address: address, Connections: true}})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

func (p piped) becomesIdle(address string) {
	p.t.Helper()
	eventually(p.t, "no connection is left", func() error {
		if p.busy(address) {
			return errors.New("one is")
		}
		return nil
	})
}

// TestConnectionsUnderWay asks the router for connections that began before it was
// led elsewhere, while one is open, while it is half closed, and when it ended.
func TestConnectionsUnderWay(t *testing.T) {
	t.Parallel()
	old, next := parrot(t, "old"), parrot(t, "new")
	p := startPiped(t, old)
	conn := p.connect()
	p.says(conn, "old")
	p.leadTo(Backend{Address: next})
	if !p.busy(old) || p.busy(next) {
		t.Errorf("old %v, new %v, want the old one busy", p.busy(old), p.busy(next))
	}
	if busy, err := p.front.Busy(t.Context(), []Upstream{{Address: old, Connections: true}}); busy || err != nil {
		t.Errorf("the front knows of no connection to instances, got %v, %v", busy, err)
	}
	if busy, err := p.router.Busy(t.Context(), []Upstream{{Address: old}}); busy || err != nil {
		t.Errorf("a site of requests has none under way, got %v, %v", busy, err)
	}
	p.says(p.connect(), "new")
	_ = conn.Close()
	p.becomesIdle(old)
	if !p.busy(next) {
		t.Error("the new one is not busy")
	}
}

// TestHalfClosedConnection: who has said everything may still listen.
func TestHalfClosedConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := startPiped(t, l.Addr().String())
	conn := p.connect()
	inside, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	_, _ = fmt.Fprint(conn, "a question")
	_ = conn.CloseWrite()
	p.leadTo()
	if asked, err := io.ReadAll(inside); string(asked) != "a question" || err != nil {
		t.Errorf("asked %q, %v", asked, err)
	}
	if !p.busy(l.Addr().String()) {
		t.Error("the answer is not waited for")
	}
	_, _ = fmt.Fprint(inside, "an answer")
	_ = inside.Close()
	if got, err := io.ReadAll(conn); string(got) != "an answer" || err != nil {
		t.Errorf("heard %q, %v", got, err)
	}
	p.becomesIdle(l.Addr().String())
}

func TestNobodyElseSeesConnections(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.router.token = "guessed"
	if _, err := p.router.connected(t.Context(), []string{"127.0.0.1:80"}); !errors.Is(err, engine.ErrDenied) {
		t.Errorf("got %v", err)
	}
}
