package nodetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// patience is how long a condition may take to come true on a busy machine.
const patience = time.Minute

// harness runs one test in one deployment.
type harness struct {
	*testing.T
	node.Driver
	images     Images
	ctx        context.Context
	deployment string

	// spreads says that the node's published ports lead to whatever the table
	// says; else each is one instance's own, from its start to its end.
	spreads bool
}

// Deployment is the name of the deployment that a test of the suite works in.
func Deployment(t *testing.T) string {
	return "acme/test/" + strings.ToLower(t.Name()[strings.LastIndexByte(t.Name(), '/')+1:])
}

func newHarness(t *testing.T, d node.Driver, images Images) *harness {
	h := &harness{T: t, Driver: d, images: images, deployment: Deployment(t)}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	h.ctx = ctx
	t.Cleanup(func() {
		cancel()
		h.removeAll()
	})
	for _, i := range []node.Image{images.App, images.Newer, images.AsUser, images.Crooked} {
		h.ok(d.Pull(h.ctx, i))
	}
	info, err := d.Info(h.ctx)
	h.ok(err)
	h.spreads = info.StartFirstPorts
	return h
}

// removeAll leaves nothing of the deployment.
func (h *harness) removeAll() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	volumes, err := h.Volumes(ctx, h.deployment)
	if err = errors.Join(err, h.RemoveDeployment(ctx, h.deployment, volumes)); err != nil {
		h.Error(err)
	}
}

// in is the harness of another deployment in the same test.
func (h *harness) in(deployment string) *harness {
	other := *h
	other.deployment = deployment
	h.Cleanup(other.removeAll)
	return &other
}

func (h *harness) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// is wants an error of the class.
func (h *harness) is(err, class error) {
	h.Helper()
	if !errors.Is(err, class) {
		h.Fatalf("error %v, want one of class %q", err, class)
	}
}

func (h *harness) key(name string) node.Key { return node.Key{Deployment: h.deployment, Name: name} }

// spec describes the instance name of the component before its first hyphen.
func (h *harness) spec(name string, c engine.Component) node.Spec {
	component, _, _ := strings.Cut(name, "-")
	c.Image = h.images.App.Reference
	return node.Spec{
		Key: h.key(name), Image: c.Image, Component: c, Env: c.Env,
		Labels: node.Labels{Team: "acme", Environment: "acme/test", Deployment: h.deployment, Component: component,
			VersionRef: "acme/shop/1@sha256:0", Revision: 1, Ordinal: 1, ConfigHash: "sha256:" + name},
	}
}

// start makes and starts an instance of the application.
func (h *harness) start(name string, c engine.Component) node.Key {
	h.Helper()
	return h.startSpec(h.spec(name, c), node.Secrets{})
}

func (h *harness) startSpec(s node.Spec, secrets node.Secrets) node.Key {
	h.Helper()
	h.ok(h.Create(h.ctx, s))
	h.ok(h.Start(h.ctx, s.Key, secrets))
	return s.Key
}

// idle is a component that does nothing but be there.
// It does not listen to signals either.
func idle() engine.Component {
	return engine.Component{Command: []string{"/tool", "sleep", "1h"}, StopGracePeriod: "10ms"}
}

func (h *harness) inspect(key node.Key) node.Instance {
	h.Helper()
	i, err := h.Inspect(h.ctx, key)
	h.ok(err)
	return i
}

// until waits for the condition.
func (h *harness) until(what string, condition func() bool) {
	h.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			h.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// state waits until the instance is in the state.
func (h *harness) state(key node.Key, s node.State) node.Instance {
	h.Helper()
	var i node.Instance
	h.until(fmt.Sprintf("%s is %s", key.Name, s), func() bool {
		i = h.inspect(key)
		return i.State == s
	})
	return i
}

// tool runs /tool inside and wants it to succeed.
func (h *harness) tool(key node.Key, args ...string) string {
	h.Helper()
	r, err := h.Exec(h.ctx, key, append([]string{"/tool"}, args...))
	h.ok(err)
	if r.ExitCode != 0 {
		h.Fatalf("tool %v ended with %d: %s", args, r.ExitCode, r.Output)
	}
	return strings.TrimSuffix(r.Output, "\n")
}

func (h *harness) want(got, want string) {
	h.Helper()
	if got != want {
		h.Fatalf("got %q, want %q", got, want)
	}
}

// get asks the application inside an instance, "" while it does not answer.
func (h *harness) get(key node.Key, path string) string {
	c, err := h.Dial(h.ctx, key, "tcp", 8080)
	if err != nil {
		return ""
	}
	defer c.Close()
	return over(c, path)
}

// serving waits for the application.
func (h *harness) serving(keys ...node.Key) {
	h.Helper()
	for _, key := range keys {
		h.until(key.Name+" answers", func() bool { return h.get(key, "/healthz") == "ok" })
	}
}

// fetch asks a published port over a connection of its own.
func fetch(e engine.Endpoint, path string) (string, error) {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(e.Address, fmt.Sprint(e.Port)), patience)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if text := over(c, path); text != "" {
		return text, nil
	}
	return "", io.ErrUnexpectedEOF
}

func over(c net.Conn, path string) string {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n", path); err != nil {
		return ""
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// route puts the instances into the table, all of them of one component.
func (h *harness) route(component string, ports map[string]engine.Port, keys ...node.Key) map[string]engine.Endpoint {
	h.Helper()
	r := node.Route{Component: component, Ports: ports}
	for _, k := range keys {
		r.Instances = append(r.Instances, k.Name)
	}
	published, err := h.Route(h.ctx, h.deployment, []node.Route{r})
	h.ok(err)
	return published
}

func ptr[T any](v T) *T { return &v }
