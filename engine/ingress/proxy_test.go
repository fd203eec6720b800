package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

const token = "0123456789abcdef"

// proxy is an ingress of the test's own: two processes of Caddy with the
// configuration that instances have, but for where things are.
type proxy struct {
	t             testing.TB
	in            Input
	front, router *process
}

// process is one Caddy in a directory.
type process struct {
	*Client
	t    testing.TB
	in   Input
	dir  string
	cmd  *exec.Cmd
	ends chan struct{}
}

// start runs an ingress on ports that are free.
func start(t testing.TB, change ...func(in *Input)) *proxy {
	t.Helper()
	for range 5 {
		p := &proxy{t: t, in: Input{Node: engine.NodeIngress{HTTPPort: freePort(t), HTTPSPort: freePort(t)}}}
		for _, c := range change {
			c(&p.in)
		}
		router := place{router: at("127.0.0.1", freePort(t)), certificates: at("127.0.0.1", freePort(t))}
		p.router = startProcess(t, Router, p.in, router)
		p.front = startProcess(t, Front, p.in, router)
		err := p.try()
		if err == nil {
			return p
		}
		// Somebody else on the machine took a port in the meantime.
		if !strings.Contains(err.Error(), "address already in use") {
			t.Fatal(err)
		}
		p.router.kill()
		p.front.kill()
	}
	t.Fatal("no port stays free")
	return nil
}

func startProcess(t testing.TB, component string, in Input, router place) *process {
	t.Helper()
	dir, err := os.MkdirTemp("", "caddy") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	in.inside = &place{
		sockets: dir, acmeCA: filepath.Join(dir, "acme-ca.pem"), data: filepath.Join(dir, "data"),
		control: freePort(t), asks: freePort(t), router: router.router, certificates: router.certificates,
	}
	boot, err := bootConfig(in)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, in: in, dir: dir}
	p.Client = NewClient(component, func(ctx context.Context, port int) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	}, in.Node, token)
	p.at = *in.inside
	for name, content := range map[string]string{"boot.json": string(boot), "acme-ca.pem": in.Node.ACMECACertificate} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.run()
	t.Cleanup(func() {
		p.kill()
		if said, _ := os.ReadFile(filepath.Join(dir, "log")); t.Failed() && len(said) > 0 {
			t.Logf("the %s said:\n%s", component, said)
		}
	})
	return p
}

// run starts the process and waits for its control port.
func (p *process) run() {
	p.t.Helper()
	program, err := testimage.CaddyProgram()
	if err != nil {
		p.t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.Command(program, "run", "--config", filepath.Join(p.dir, "boot.json"), "--resume")
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+p.dir+"/data", "XDG_CONFIG_HOME="+p.dir+"/config", EnvToken+"="+token, "HOME="+p.dir)
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.ends = make(chan struct{})
	go func(cmd *exec.Cmd, ends chan struct{}) {
		_ = cmd.Wait()
		close(ends)
	}(p.cmd, p.ends)
	eventually(p.t, "caddy answers", func() error {
		_, err := p.Current(p.t.Context())
		return err
	})
}

// kill ends the process as the kernel would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ends
}

// load puts the sites into force.
func (p *proxy) load(sites ...Site) {
	p.t.Helper()
	p.in.Sites = sites
	if err := p.try(); err != nil {
		p.t.Fatalf("load: %v", err)
	}
}

func (p *proxy) try() error { return errors.Join(p.router.load(p.in), p.front.load(p.in)) }

func (p *process) load(in Input) error {
	in.inside = p.in.inside
	return p.Load(p.t.Context(), func(context.Context) (Input, error) { return in, nil })
}

func (p *proxy) url(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", p.in.Node.HTTPPort, path)
}

// get asks as a visitor; headers are name, value.
func (p *proxy) get(host, path string, headers ...string) (*http.Response, string) {
	p.t.Helper()
	return p.ask(http.MethodGet, host, path, "", headers...)
}

func (p *proxy) ask(method, host, path, body string, headers ...string) (*http.Response, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url(path), strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		p.t.Fatalf("%s %s%s: %v", method, host, path, err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("%s %s%s: %v", method, host, path, err)
	}
	return resp, string(said)
}

// site leads a host and path to backends.
func site(name, host, path string, backends ...string) Site {
	s := Site{Deployment: "acme/test/shop", Component: "web", Name: name, Route: engine.Route{Host: host, PathPrefix: path, Port: 80}}
	for i, address := range backends {
		s.Backends = append(s.Backends, Backend{Instance: fmt.Sprintf("web-1-%d", i+1), Address: address})
	}
	return s
}

// serve is an instance that answers by handler, and its address.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// called is an instance that answers its name and the path that it was asked for.
func called(t testing.TB, name string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, name+" "+r.RequestURI) })
}

var portsGiven sync.Map

// freePort is one that nobody listens on, that no other test was given, and that
// the kernel gives to no connection.
func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		if _, given := portsGiven.LoadOrStore(port, true); !given {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// eventually waits until check finds nothing wrong.
func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	deadline := time.NewTimer(60 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}

// dialPort connects to a port of this machine, whatever the address says.
func (p *proxy) dialPort(port int) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	}
}
