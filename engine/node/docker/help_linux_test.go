package docker_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
)

const patience = time.Minute

// shared are the suite's images, for all tests of this process.
var shared struct {
	once   sync.Once
	images nodetest.Images
	end    func()
	err    error
}

func images(t *testing.T) nodetest.Images {
	t.Helper()
	shared.once.Do(func() { shared.images, shared.end, shared.err = nodetest.ServeImages() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.images
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.end != nil {
		shared.end()
	}
	os.Exit(code)
}

// bench is a driver with the suite's image on its node.
type bench struct {
	*testing.T
	*docker.Driver
	images     nodetest.Images
	deployment string
}

func newBench(t *testing.T, d *docker.Driver) *bench {
	t.Helper()
	b := &bench{T: t, Driver: d, images: images(t), deployment: "acme/test/" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))}
	b.ok(d.Pull(t.Context(), b.images.App))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		volumes, err := d.Volumes(ctx, b.deployment)
		if err == nil {
			err = d.RemoveDeployment(ctx, b.deployment, volumes)
		}
		if err != nil {
			t.Error(err)
		}
		_ = d.Close()
	})
	return b
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) spec(name string, revision int, c engine.Component) node.Spec {
	component, _, _ := strings.Cut(name, "-")
	c.Image = b.images.App.Reference
	return node.Spec{
		Key: node.Key{Deployment: b.deployment, Name: name}, Image: c.Image, Component: c, Env: c.Env,
		Labels: node.Labels{Team: "acme", Environment: "acme/test", Deployment: b.deployment, Component: component, Revision: revision, Ordinal: 1, ConfigHash: "sha256:1"},
	}
}

func (b *bench) start(name string, revision int, c engine.Component) node.Key {
	b.Helper()
	s := b.spec(name, revision, c)
	b.ok(b.Create(b.Context(), s))
	b.ok(b.Start(b.Context(), s.Key, node.Secrets{}))
	return s.Key
}

func (b *bench) route(component string, names ...string) {
	b.Helper()
	_, err := b.Route(b.Context(), b.deployment, []node.Route{{Component: component, Instances: names}})
	b.ok(err)
}

func (b *bench) tool(key node.Key, args ...string) string {
	b.Helper()
	r, err := b.Exec(b.Context(), key, append([]string{"/tool"}, args...))
	b.ok(err)
	if r.ExitCode != 0 {
		b.Fatalf("tool %v ended with %d: %s", args, r.ExitCode, r.Output)
	}
	return strings.TrimSuffix(r.Output, "\n")
}

func (b *bench) until(what string, condition func() bool) {
	b.Helper()
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			b.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// get asks the application inside.
func (b *bench) get(key node.Key, path string) string {
	c, err := b.Dial(b.Context(), key, "tcp", 8080)
	if err != nil {
		return ""
	}
	defer c.Close()
	return ask(c, path)
}

// fetch asks a published port.
func fetch(e engine.Endpoint) string {
	c, err := net.Dial("tcp", net.JoinHostPort(e.Address, strconv.Itoa(e.Port)))
	if err != nil {
		return ""
	}
	defer c.Close()
	return ask(c, "/healthz")
}

func ask(c net.Conn, path string) string {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: app\r\n\r\n", path); err != nil {
		return ""
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (b *bench) serving(key node.Key) {
	b.Helper()
	b.until(key.Name+" answers", func() bool { return b.get(key, "/healthz") == "ok" })
}

func idle() engine.Component {
	return engine.Component{Command: []string{"/tool", "sleep", "1h"}, StopGracePeriod: "10ms"}
}

func ptr[T any](v T) *T { return &v }
