package nodetest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

var published = map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: ptr(0)}}

func testDial(h *harness) {
	key := h.start("api-1-1", engine.Component{})
	h.serving(key)
	if _, err := h.Dial(h.ctx, key, "tcp", 9); err == nil || !strings.Contains(err.Error(), "refused") {
		h.Errorf("a closed port answered %v", err)
	}
	h.ok(h.Stop(h.ctx, key))
	if _, err := h.Dial(h.ctx, key, "tcp", 8080); err == nil {
		h.Error("a stopped instance is connected to")
	}
	_, err := h.Dial(h.ctx, h.key("nobody-1-1"), "tcp", 8080)
	h.is(err, engine.ErrNotFound)
}

func testNames(h *harness) {
	low := engine.Component{Env: map[string]string{"LISTEN": ":80"}}
	one, two := h.start("web-1-1", low), h.start("web-1-2", low) // both on 0.0.0.0:80
	client := h.start("client-1-1", engine.Component{})
	h.serving(client)
	h.route("web", nil, one, two)
	h.until("both replicas have the name", func() bool {
		r, err := h.Exec(h.ctx, client, []string{"/tool", "resolve", "web"})
		return err == nil && len(strings.Fields(r.Output)) == 2
	})
	h.until("the name leads there", func() bool { return h.get(client, "/dial?addr=web:80") == "connected" })
	r, err := h.Exec(h.ctx, client, []string{"/tool", "resolve", "nowhere"})
	h.ok(err)
	if r.ExitCode == 0 {
		h.Errorf("nowhere resolves to %s", r.Output)
	}
	h.route("web", nil, two)
	h.until("one replica has the name", func() bool {
		r, err := h.Exec(h.ctx, client, []string{"/tool", "resolve", "web"})
		return err == nil && len(strings.Fields(r.Output)) == 1
	})
	h.want(h.get(client, "/dial?addr=web:80"), "connected")
}

func testPublish(h *harness) {
	if !h.spreads {
		testPublishAlone(h)
		return
	}
	one := h.start("api-1-1", engine.Component{Env: map[string]string{"VERSION": "one"}})
	two := h.start("api-1-2", engine.Component{Env: map[string]string{"VERSION": "two"}})
	h.serving(one, two)
	where := h.route("api", published, one, two)["api/http"]
	seen := map[string]bool{}
	for range 8 {
		answer, err := fetch(where, "/")
		h.ok(err)
		seen[answer] = true
	}
	if !seen["one"] || !seen["two"] {
		h.Fatalf("answers from %v only", seen)
	}
	if where.URL != fmt.Sprintf("http://%s:%d", where.Address, where.Port) {
		h.Errorf("%+v", where)
	}
	if again := h.route("api", published, two)["api/http"]; again != where {
		h.Errorf("the chosen port moved from %+v to %+v", where, again)
	}
	for range 4 {
		answer, err := fetch(where, "/")
		h.ok(err)
		h.want(answer, "two")
	}
	table, endpoints, err := h.Routes(h.ctx, h.deployment)
	h.ok(err)
	if len(table) != 1 || strings.Join(table[0].Instances, ",") != "api-1-2" || endpoints["api/http"] != where {
		h.Errorf("routes %+v, endpoints %+v", table, endpoints)
	}
	h.ok(h.RemoveDeployment(h.ctx, h.deployment, nil))
	if _, err := fetch(where, "/"); err == nil {
		h.Error("a removed deployment answers")
	}
}

// testPublishAlone: where a port is one instance's own, its successor takes it over.
func testPublishAlone(h *harness) {
	c := engine.Component{Env: map[string]string{"VERSION": "one"}, Ports: published}
	one := h.start("api-1-1", c)
	h.serving(one)
	where := h.route("api", published, one)["api/http"]
	answer, err := fetch(where, "/")
	h.ok(err)
	h.want(answer, "one")
	if where.URL != fmt.Sprintf("http://%s:%d", where.Address, where.Port) {
		h.Errorf("%+v", where)
	}
	h.ok(h.Stop(h.ctx, one))
	c.Env = map[string]string{"VERSION": "two"}
	two := h.start("api-2-1", c)
	h.serving(two)
	if again := h.route("api", published, two)["api/http"]; again != where {
		h.Errorf("the chosen port moved from %+v to %+v", where, again)
	}
	h.ok(h.Remove(h.ctx, one))
	answer, err = fetch(where, "/")
	h.ok(err)
	h.want(answer, "two")
	table, endpoints, err := h.Routes(h.ctx, h.deployment)
	h.ok(err)
	if len(table) != 1 || strings.Join(table[0].Instances, ",") != "api-2-1" || endpoints["api/http"] != where {
		h.Errorf("routes %+v, endpoints %+v", table, endpoints)
	}
	h.ok(h.RemoveDeployment(h.ctx, h.deployment, nil))
	if _, err := fetch(where, "/"); err == nil {
		h.Error("a removed deployment answers")
	}
}

func testSwitch(h *harness) {
	if !h.spreads {
		h.Skip("no port of the node leads from one instance to the next")
	}
	slow := map[string]string{"SLOW_REQUEST": "100ms"}
	old := h.start("api-1-1", engine.Component{Env: slow})
	h.serving(old)
	where := h.route("api", published, old)["api/http"]
	ctx, cancel := context.WithCancel(h.ctx)
	var asked, failed atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				asked.Add(1)
				if _, err := fetch(where, "/"); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	for n := 2; n <= 4; n++ {
		next := h.start(fmt.Sprintf("api-%d-1", n), engine.Component{Env: slow})
		h.serving(next)
		h.route("api", published, next)
		drain, done := context.WithTimeout(h.ctx, patience)
		h.ok(h.Drain(drain, old))
		done()
		h.ok(h.Remove(h.ctx, old))
		old = next
	}
	cancel()
	clients.Wait()
	if failed.Load() > 0 || asked.Load() < 20 {
		h.Fatalf("%d of %d requests failed", failed.Load(), asked.Load())
	}
}

func testPortConflict(h *harness) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	h.ok(err)
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	ports := map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: &taken, HostAddress: "127.0.0.1"}}
	c := engine.Component{Ports: ports}
	err = h.Preflight(h.ctx, h.deployment, []node.Spec{h.spec("api-1-1", c)})
	h.is(err, engine.ErrConflict)
	if !strings.Contains(err.Error(), l.Addr().String()) {
		h.Errorf("the error does not name %s: %v", l.Addr(), err)
	}
	spec := h.spec("api-1-1", c)
	key := spec.Key
	h.ok(h.Create(h.ctx, spec))
	r := []node.Route{{Component: "api", Ports: ports, Instances: []string{key.Name}}}
	err = h.Start(h.ctx, key, node.Secrets{})
	if h.spreads {
		h.ok(err)
		h.serving(key)
		_, err = h.Route(h.ctx, h.deployment, r)
	}
	h.is(err, engine.ErrConflict)
	h.ok(l.Close())
	h.ok(h.Start(h.ctx, key, node.Secrets{}))
	h.serving(key)
	h.ok(h.Preflight(h.ctx, h.deployment, []node.Spec{h.spec("api-1-1", c)}))
	_, err = h.Route(h.ctx, h.deployment, r)
	h.ok(err)
	h.ok(h.Preflight(h.ctx, h.deployment, []node.Spec{h.spec("api-2-1", c)})) // its own port is fine
}

func testUDP(h *harness) {
	ports := map[string]engine.Port{"dns": {ContainerPort: 5353, HostPort: ptr(0), Protocol: "udp"}}
	key := h.start("echo-1-1", engine.Component{Command: []string{"/tool", "echo-udp", ":5353"}, Ports: ports})
	where := h.route("echo", ports, key)["echo/dns"]
	c, err := net.Dial("udp", net.JoinHostPort(where.Address, fmt.Sprint(where.Port)))
	h.ok(err)
	defer c.Close()
	buffer := make([]byte, 100)
	h.until("an echo comes back", func() bool {
		if _, err := c.Write([]byte("hello")); err != nil {
			return false
		}
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := c.Read(buffer)
		return err == nil && string(buffer[:n]) == "hello"
	})
	h.want(where.URL, fmt.Sprintf("udp://%s:%d", where.Address, where.Port))
}

func testDrain(h *harness) {
	if !h.spreads {
		h.Skip("a published port is the instance's own and goes with it")
	}
	key := h.start("api-1-1", engine.Component{Env: map[string]string{"SLOW_REQUEST": "400ms"}})
	h.serving(key)
	where := h.route("api", published, key)["api/http"]
	answered := make(chan error, 1)
	go func() {
		_, err := fetch(where, "/")
		answered <- err
	}()
	h.until("the instance works on the request", func() bool { return h.get(key, "/busy") == "1" })
	short, cancel := context.WithTimeout(h.ctx, 150*time.Millisecond)
	h.ok(h.Drain(short, key)) // the end of time is no error
	cancel()
	h.ok(h.Drain(h.ctx, key))
	h.ok(h.Stop(h.ctx, key))
	h.ok(<-answered)
}

func testParallel(h *harness) {
	const count = 8
	errs := make(chan error, count)
	for n := range count {
		go func() {
			spec := h.spec(fmt.Sprintf("api-1-%d", n+1), engine.Component{})
			err := h.Create(h.ctx, spec)
			if err == nil {
				err = h.Start(h.ctx, spec.Key, node.Secrets{})
			}
			errs <- err
		}()
	}
	for range count {
		h.ok(<-errs)
	}
	for n := range count {
		h.serving(h.key(fmt.Sprintf("api-1-%d", n+1)))
	}
}

func testRemoveDeployment(h *harness) {
	c := engine.Component{Ports: published, Volumes: map[string]engine.Volume{"data": {Path: "/data"}}}
	key := h.start("api-1-1", c)
	h.serving(key)
	h.tool(key, "mkdir", "/locked/in", "700")
	h.tool(key, "mkdir", "/locked/in/deep", "0")
	where := h.route("api", published, key)["api/http"]
	h.ok(h.Create(h.ctx, h.spec("api-1-2", c))) // made, never started
	h.ok(h.RemoveDeployment(h.ctx, h.deployment, []string{"api/data"}))
	all, err := h.List(h.ctx)
	h.ok(err)
	for _, i := range all {
		if i.Key.Deployment == h.deployment {
			h.Errorf("%s is left", i.Key.Name)
		}
	}
	volumes, err := h.Volumes(h.ctx, h.deployment)
	h.ok(err)
	table, endpoints, err := h.Routes(h.ctx, h.deployment)
	h.ok(err)
	if len(volumes)+len(table)+len(endpoints) > 0 {
		h.Errorf("left: volumes %v, routes %v, endpoints %v", volumes, table, endpoints)
	}
	if _, err := fetch(where, "/"); err == nil {
		h.Error("the port still answers")
	}
}
