package ingress

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// TestChangesLoseNoRequest changes where a site leads under visitors of all kinds:
// with connections that are kept and with new ones, with bodies that no client
// would send again, and with a stream.
func TestChangesLoseNoRequest(t *testing.T) {
	t.Parallel()
	const visitors, changes = 24, 30
	p := start(t)
	var addresses []string
	for i := range 2 {
		addresses = append(addresses, serve(t, func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			_, _ = fmt.Fprintf(w, "%d took %d", i, n)
		}))
	}
	echo := serve(t, upgraded)
	stream := site("stream", "stream", "/", echo)
	p.load(site("web", "", "/", addresses[0]), stream)
	conn := p.upgrade("stream")

	ctx, done := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var asked, lost atomic.Int64
	for v := range visitors {
		all.Go(func() {
			transport := &http.Transport{DisableKeepAlives: v%4 > 1}
			defer transport.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				if err := ask(transport, p.url("/"), v%2 == 0, 1+n%20_000); err != nil {
					lost.Add(1)
					t.Errorf("visitor %d, request %d: %v", v, n, err)
				}
				asked.Add(1)
			}
		})
	}
	for i := range changes {
		p.load(phase(i, addresses), stream)
		conn.say(fmt.Sprintf("line %d", i))
		// Some requests see each configuration.
		seen := asked.Load()
		eventually(t, "requests", func() error {
			if asked.Load() < seen+visitors {
				return errors.New("too few")
			}
			return nil
		})
	}
	done()
	all.Wait()
	t.Logf("%d changes under %d requests: %d lost", changes, asked.Load(), lost.Load())
}

// phase is a site that leads to one or the other, then to both with a share each,
// measured for that, and back.
func phase(i int, addresses []string) Site {
	s := site("web", "", "/", addresses[i%2])
	switch i % 6 {
	case 2:
		s = site("web", "", "/", addresses...)
		s.Backends[1].Canary, s.CanaryWeight = true, 20
	case 3:
		s.Measured = true
	case 4:
		s.Leaving = true
	}
	return s
}

// ask sends a body that cannot be sent twice, or none.
func ask(transport *http.Transport, url string, post bool, size int) error {
	method, body := http.MethodGet, io.Reader(nil)
	if post {
		method, body = http.MethodPost, struct{ io.Reader }{strings.NewReader(strings.Repeat("x", size))}
	} else {
		size = 0
	}
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || !strings.HasSuffix(string(said), fmt.Sprintf(" took %d", size)) {
		return fmt.Errorf("%d %q %w", resp.StatusCode, said, err)
	}
	return nil
}

// upgraded is an instance that leaves HTTP, as websockets do, and says every line again.
func upgraded(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" {
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, _ = io.Copy(conn, buffered)
}

// spoken is a connection that left HTTP.
type spoken struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func (p *proxy) upgrade(host string) spoken {
	p.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url(""), "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	s := spoken{p.t, conn, bufio.NewReader(conn)}
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", host)
	resp, err := http.ReadResponse(s.in, nil) //nolint:bodyclose // there is none
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		p.t.Fatalf("upgrade: %v %v", resp, err)
	}
	return s
}

// say wants to hear it back.
func (s spoken) say(line string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s, line); err != nil {
		s.t.Fatal(err)
	}
	if got, err := s.in.ReadString('\n'); err != nil || got != line+"\n" {
		s.t.Fatalf("said %q, heard %q, %v", line, got, err)
	}
}

func TestLoadsAtTheSameTimeLoseNothing(t *testing.T) {
	t.Parallel()
	const clients = 8
	p := start(t)
	address := called(t, "web")
	var mu sync.Mutex
	var sites []Site
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			mu.Lock()
			sites = append(sites, site(fmt.Sprint("r", i), fmt.Sprintf("h%d", i), "/", address))
			mu.Unlock()
			err := p.router.Load(t.Context(), func(context.Context) (Input, error) {
				mu.Lock()
				defer mu.Unlock()
				in := p.router.in
				in.Sites = append([]Site(nil), sites...)
				return in, nil
			})
			if err != nil {
				t.Errorf("client %d: %v", i, err)
			}
			if resp, got := p.get(fmt.Sprintf("h%d", i), "/"); resp.StatusCode != 200 {
				t.Errorf("client %d: %d %s", i, resp.StatusCode, got)
			}
		})
	}
	all.Wait()
	for i := range clients {
		if resp, got := p.get(fmt.Sprintf("h%d", i), "/"); resp.StatusCode != 200 {
			t.Errorf("h%d: %d %s", i, resp.StatusCode, got)
		}
	}
}

func TestRefusedConfigurationChangesNothing(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.load(site("web", "", "/", called(t, "web")))
	taken, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := site("tcp", "", "", "127.0.0.1:1")
	bad.Route.Protocol, bad.Route.ListenPort = engine.RouteTCP, taken.Addr().(*net.TCPAddr).Port //nolint:errcheck // a listener of TCP
	before, err := p.router.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in := p.in
	in.Sites = append(in.Sites, bad)
	var refusal *engine.Error
	if err := p.router.load(in); !errors.As(err, &refusal) || !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(refusal.Reason, "address already in use") {
		t.Errorf("got %v", err)
	}
	after, err := p.router.Current(t.Context())
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("%v: was\n%s\nis\n%s", err, before, after)
	}
	if _, got := p.get("h", "/"); got != "web /" {
		t.Errorf("got %s", got)
	}
}

func TestKilledProxyComesBack(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.load(site("web", "", "/", called(t, "web")))
	for _, one := range []*process{p.router, p.front} {
		before, err := one.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		one.kill()
		one.run()
		after, err := one.Current(t.Context())
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("%v: was\n%s\nis\n%s", err, before, after)
		}
		if _, got := p.get("h", "/"); got != "web /" {
			t.Errorf("got %s", got)
		}
	}
}

func TestOnlyTheEngineCommands(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.load(site("web", "", "/", called(t, "web")))
	for _, one := range []*process{p.router, p.front} {
		stranger := *one.Client
		stranger.token = "wrong"
		for name, err := range map[string]error{
			"read":  second(stranger.Current(t.Context())),
			"write": stranger.Load(t.Context(), func(context.Context) (Input, error) { return Input{}, nil }),
		} {
			if !errors.Is(err, engine.ErrDenied) {
				t.Errorf("%s: %v", name, err)
			}
		}
		text, err := one.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), token) {
			t.Error("the token is in the configuration")
		}
		var config struct{ Admin struct{ Listen string } }
		if err := json.Unmarshal(text, &config); err != nil || !strings.HasPrefix(config.Admin.Listen, "unix/") {
			t.Errorf("the admin endpoint listens on %q, %v", config.Admin.Listen, err)
		}
	}
	// A visitor cannot get there either, nor past the front.
	for _, path := range []string{"/admin/config/", "/via/"} {
		if _, got := p.get("h", path, "Authorization", "Bearer "+token, upstreamHeader, "127.0.0.1:1", protocolHeader, "http"); got != "web "+path {
			t.Errorf("got %s", got)
		}
	}
	resp, err := http.Get("http://" + p.router.at.router)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("past the front: %d", resp.StatusCode)
	}
}

func second[T any](_ T, err error) error { return err }
