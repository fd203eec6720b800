//go:build linux

package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
)

// place is one deployment on a node of its own.
type place struct {
	*testing.T
	node.Driver
	ctx        context.Context
	root       string
	deployment string
	image      node.Image
}

func newPlace(t *testing.T) *place {
	p := &place{T: t, root: nodeRoot, deployment: nodetest.Deployment(t), image: app(t)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	p.ctx, p.Driver = ctx, open(t, p.root)
	t.Cleanup(func() {
		cancel()
		if err := p.RemoveDeployment(context.Background(), p.deployment, []string{"api/data"}); err != nil {
			t.Error(err)
		}
		leftovers(t, p.root, []string{p.sandbox().ID()})
	})
	p.ok(p.Pull(p.ctx, p.image))
	return p
}

var pulled node.Image

// app is the application, which is on the node from the first test that asked.
func app(t *testing.T) node.Image {
	if pulled.Reference == "" {
		pulled = images(t).App
	}
	return pulled
}

func (p *place) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *place) sandbox() state.Sandbox {
	return state.Root{Dir: p.root}.Sandbox(engineID, p.deployment)
}

func (p *place) start(name string, c engine.Component) node.Key {
	p.Helper()
	key := node.Key{Deployment: p.deployment, Name: name}
	component, _, _ := strings.Cut(name, "-")
	p.ok(p.Create(p.ctx, node.Spec{Key: key, Labels: node.Labels{Component: component}, Image: p.image.Reference, Component: c}))
	p.ok(p.Start(p.ctx, key, node.Secrets{Env: map[string]string{"TOKEN": "canary"}, Files: map[string][]byte{"/run/token": []byte("canary")}}))
	return key
}

func (p *place) publish(keys ...node.Key) string {
	p.Helper()
	zero := 0
	r := node.Route{Component: "api", Ports: map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: &zero}}}
	for _, k := range keys {
		r.Instances = append(r.Instances, k.Name)
	}
	published, err := p.Route(p.ctx, p.deployment, []node.Route{r})
	p.ok(err)
	return published["api/http"].URL
}

func (p *place) until(what string, condition func() bool) {
	p.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			p.Fatalf("waited in vain: %s", what)
		}
	}
}

func (p *place) state(key node.Key) node.State {
	p.Helper()
	i, err := p.Inspect(p.ctx, key)
	p.ok(err)
	return i.State
}

func (p *place) get(url string) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	r, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (p *place) supervisor() int {
	p.Helper()
	s, err := state.ReadProcess(p.sandbox())
	p.ok(err)
	return s.PID
}

func (p *place) killSupervisor() {
	p.Helper()
	p.ok(unix.Kill(p.supervisor(), unix.SIGKILL))
	p.until("the supervisor is dead", func() bool { return !state.Alive(p.sandbox()) })
}

func TestKilledSupervisor(t *testing.T) {
	p := newPlace(t)
	one, two := p.start("api-1-1", engine.Component{}), p.start("api-1-2", engine.Component{})
	stopped := p.start("api-1-3", engine.Component{})
	p.ok(p.Stop(p.ctx, stopped))
	url := p.publish(one, two)
	p.until("it answers", func() bool { return p.get(url) == "1" })
	p.killSupervisor()
	if p.state(one) != node.Lost || p.state(two) != node.Lost || p.state(stopped) != node.Exited {
		t.Fatalf("%s, %s, %s", p.state(one), p.state(two), p.state(stopped))
	}
	if state.Alive(p.sandbox()) {
		t.Fatal("looking started a supervisor")
	}
	p.ok(p.Start(p.ctx, one, node.Secrets{}))
	if p.state(one) != node.Running || p.state(two) != node.Lost {
		t.Fatalf("%s, %s", p.state(one), p.state(two))
	}
	if again := p.publish(one, two); again != url {
		t.Fatalf("published at %s, before at %s", again, url)
	}
	p.until("it answers again", func() bool { return p.get(url) == "1" })
	p.ok(p.Start(p.ctx, two, node.Secrets{}))
	p.killSupervisor()
	p.ok(p.Stop(p.ctx, one)) // without a supervisor
	if p.state(one) != node.Exited {
		t.Fatal(p.state(one))
	}
	p.ok(p.Remove(p.ctx, one))
	if _, err := p.Inspect(p.ctx, one); !errors.Is(err, engine.ErrNotFound) {
		t.Fatal(err)
	}
}

// TestSupervisorLeavesService: the service manager that follows whoever runs
// Terraform must not find the supervisor among its processes.
func TestSupervisorLeavesService(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user may not move processes")
	}
	p := newPlace(t)
	p.start("api-1-1", engine.Component{})
	groups, err := os.ReadFile("/proc/" + strconv.Itoa(p.supervisor()) + "/cgroup")
	p.ok(err)
	followed := false
	for _, line := range strings.Split(string(groups), "\n") {
		if strings.HasPrefix(line, "0::") || strings.Contains(line, ":name=systemd:") {
			followed = true
			if !strings.Contains(line, "/slipway/") {
				t.Errorf("the supervisor is in %s", line)
			}
		}
	}
	if !followed {
		t.Skip("there are no control groups that a service manager uses")
	}
}

func TestOneSupervisor(t *testing.T) {
	p := newPlace(t)
	const count = 6
	for n := range count {
		key := node.Key{Deployment: p.deployment, Name: fmt.Sprintf("api-1-%d", n)}
		p.ok(p.Create(p.ctx, node.Spec{Key: key, Labels: node.Labels{Component: "api"}, Image: p.image.Reference}))
	}
	var wait sync.WaitGroup
	errs := make([]error, count)
	for n := range count {
		other := open(t, p.root) // as in another process
		wait.Go(func() {
			errs[n] = other.Start(p.ctx, node.Key{Deployment: p.deployment, Name: fmt.Sprintf("api-1-%d", n)}, node.Secrets{})
		})
	}
	wait.Wait()
	p.ok(errors.Join(errs...))
	if found := supervisorsBelow(p.root); found != 1 {
		t.Fatalf("%d supervisors run", found)
	}
}

func supervisorsBelow(root string) int {
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	count := 0
	for _, path := range processes {
		text, _ := os.ReadFile(path)
		if strings.Contains(string(text), "supervise\x00"+root) {
			count++
		}
	}
	return count
}

func TestLastInstanceEndsSupervisor(t *testing.T) {
	p := newPlace(t)
	key := p.start("api-1-1", engine.Component{})
	p.ok(p.Remove(p.ctx, key))
	p.until("the supervisor ended", func() bool { return !state.Alive(p.sandbox()) })
	key = p.start("api-2-1", engine.Component{})
	if p.state(key) != node.Running {
		t.Fatal("nothing runs after the supervisor had ended")
	}
}

func TestTerminatedSupervisorStopsGently(t *testing.T) {
	p := newPlace(t)
	key := p.start("api-1-1", engine.Component{})
	p.until("it serves", func() bool { return p.get(p.publish(key)) == "1" })
	p.ok(unix.Kill(p.supervisor(), unix.SIGTERM))
	p.until("the supervisor ended", func() bool { return !state.Alive(p.sandbox()) })
	lines, err := p.Logs(p.ctx, key, 5)
	p.ok(err)
	if !strings.Contains(strings.Join(lines, "\n"), "app stops: terminated") {
		t.Errorf("%q", lines)
	}
	if p.state(key) != node.Lost { // it should run: the next apply sees that it does not
		t.Error(p.state(key))
	}
}

func TestSecretsStayInMemory(t *testing.T) {
	p := newPlace(t)
	key := p.start("api-1-1", engine.Component{})
	if r, err := p.Exec(p.ctx, key, []string{"/tool", "cat", "/run/token"}); err != nil || r.Output != "canary" {
		t.Fatal(r, err)
	}
	p.ok(p.Stop(p.ctx, key))
	p.ok(filepath.WalkDir(p.sandbox().Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // overlayfs keeps a directory to itself
		}
		if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte("canary")) {
			t.Errorf("the secret is in %s", path)
		}
		return nil
	}))
}

func TestAlteredByHand(t *testing.T) {
	p := newPlace(t)
	key := p.start("api-1-1", engine.Component{WorkingDir: "/tmp"})
	file := p.sandbox().Instance(key.Name).RecordFile()
	text, err := os.ReadFile(file)
	p.ok(err)
	p.ok(os.WriteFile(file, bytes.Replace(text, []byte(`"/tmp"`), []byte(`"/etc"`), 1), 0o600))
	i, err := p.Inspect(p.ctx, key)
	p.ok(err)
	if len(i.Altered) != 1 {
		t.Fatalf("%+v", i)
	}
}

func TestOutbound(t *testing.T) {
	server := http.Server{Addr: "127.0.0.1:0", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "from the node")
	})}
	port := listen(t, &server)
	p := newPlace(t)
	url := p.publish(p.start("api-1-1", engine.Component{}))
	p.until("it answers", func() bool { return p.get(url) == "1" })
	if got := p.get(url + "/outbound?url=http://host.slipway.internal:" + port); !strings.Contains(got, "from the node") {
		t.Fatalf("%q", got)
	}
}

func TestHealing(t *testing.T) {
	p := newPlace(t)
	sick := engine.Component{Env: map[string]string{"HEALTH": "fail"}, StopGracePeriod: "1s", HealthChecks: map[string]engine.HealthCheck{
		"up": {HTTP: &engine.HTTPCheck{Port: 8080, Path: "/healthz"}, Interval: "20ms"},
	}}
	key := p.start("api-1-1", sick)
	well := p.start("web-1-1", engine.Component{HealthChecks: map[string]engine.HealthCheck{
		"up": {HTTP: &engine.HTTPCheck{Port: 8080, Path: "/healthz"}, Interval: "20ms"},
	}})
	if i, err := p.Inspect(p.ctx, key); err != nil || i.Health != "unknown" {
		t.Fatalf("before it takes traffic: %+v, %v", i, err)
	}
	_, err := p.Route(p.ctx, p.deployment, []node.Route{{Component: "api", Instances: []string{key.Name}}, {Component: "web", Instances: []string{well.Name}}})
	p.ok(err)
	p.until("the sick one was restarted and is sick again", func() bool {
		i, err := p.Inspect(p.ctx, key)
		return err == nil && i.Restarts == 1 && i.Health == "anomaly" && strings.Contains(i.HealthMessage, "503") &&
			strings.Contains(i.HealthMessage, "1 of 5 times")
	})
	p.until("the other one is well", func() bool {
		i, err := p.Inspect(p.ctx, well)
		return err == nil && i.Health == "ok" && i.Restarts == 0
	})
}

func TestSizeOfSupervisor(t *testing.T) {
	p := newPlace(t)
	began := time.Now()
	key := p.start("api-1-1", engine.Component{})
	first := time.Since(began)
	began = time.Now()
	p.start("api-1-2", engine.Component{})
	second := time.Since(began)
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.supervisor()) + "/status")
	p.ok(err)
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	size, err := strconv.Atoi(strings.Fields(rest)[0])
	p.ok(err)
	t.Logf("first instance with its supervisor %s, second %s, supervisor %d KiB; %s", first, second, size, key.Name)
	if size > 60<<10 {
		t.Errorf("the supervisor has %d KiB", size)
	}
}
