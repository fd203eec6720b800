package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// world is one user's working directory, with the engine's data in it.
type world struct {
	t    testing.TB
	dir  string // where terraform runs
	data string // data_dir
	uid  int    // who runs terraform
	on   nodeKind
	env  map[string]string
	seen map[string]bool // names of sandboxes that there were
}

// newWorld prepares a working directory with the configuration, on a local node. When the test
// ends, whatever still runs there is destroyed.
func newWorld(t testing.TB, configuration string) *world {
	return local.newWorld(t, configuration)
}

func newWorldOf(t testing.TB, uid int, on nodeKind, configuration string) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "slw") // t.TempDir cannot remove what images have made unwritable
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, data: filepath.Join(dir, ".slipway"), uid: uid, on: on, env: map[string]string{}, seen: map[string]bool{}}
	w.use(registry)
	for variable, value := range on.variables {
		w.set(variable, value)
	}
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	w.write(configuration)
	w.must("init", "-input=false", "-no-color")
	t.Cleanup(w.close)
	return w
}

// use tells the configuration which registry has the images.
func (w *world) use(r *testimage.RegistryServer) {
	w.env["TF_VAR_registry"], w.env["TF_VAR_registry_password"] = r.URL(), registryPassword
}

// write replaces the configuration.
func (w *world) write(configuration string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "main.tf"), []byte(configuration), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// set gives a variable of the configuration a value.
func (w *world) set(variable, value string) { w.env["TF_VAR_"+variable] = value }

// close takes everything away, also after a test that failed halfway.
func (w *world) close() {
	if w.t.Failed() {
		for _, p := range w.census().all {
			w.t.Logf("still there: %s", p)
		}
	}
	w.run("destroy", "-auto-approve", "-input=false", "-no-color", "-lock=false")
	for _, p := range w.census().all {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
	if err := state.RemoveAll(w.dir); err != nil {
		w.t.Logf("remove %s: %v", w.dir, err)
	}
}

// result is how a run of terraform ended.
type result struct {
	said string // stdout and stderr together
	code int    // -1 when a signal ended it
}

// running is a terraform that has not been waited for.
type running struct {
	cmd  *exec.Cmd
	said safeBuffer
	done chan struct{}
}

// start runs terraform without waiting for it.
func (w *world) start(args ...string) *running {
	w.t.Helper()
	r := &running{cmd: exec.Command(program, args...), done: make(chan struct{})}
	r.cmd.Dir, r.cmd.Env = w.dir, w.environment()
	r.cmd.Stdout, r.cmd.Stderr = &r.said, &r.said
	// A group of its own: a provider that outlives a killed terraform must not
	// keep the pipe, and with it the test, waiting.
	r.cmd.SysProcAttr, r.cmd.WaitDelay = &syscall.SysProcAttr{Setpgid: true}, time.Second
	if w.uid != os.Getuid() {
		r.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(w.uid), Gid: uint32(w.uid)}
	}
	if err := r.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(r.done)
		if err := r.cmd.Wait(); err != nil && r.cmd.ProcessState == nil {
			w.t.Errorf("wait for terraform: %v", err)
		}
	}()
	return r
}

func (r *running) wait() result {
	<-r.done
	return result{said: r.said.String(), code: r.cmd.ProcessState.ExitCode()}
}

func (w *world) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return slices.ContainsFunc([]string{"TF_", "TFC_", "SLIPWAY_", "HOME="}, func(prefix string) bool { return strings.HasPrefix(pair, prefix) })
	})
	env = append(env, "HOME="+w.dir, "TF_CLI_CONFIG_FILE="+cliConfig, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	for name, value := range w.env {
		env = append(env, name+"="+value)
	}
	return env
}

// run answers how terraform ended.
func (w *world) run(args ...string) result {
	w.t.Helper()
	return w.start(args...).wait()
}

// must is run that has to succeed; it answers what terraform said.
func (w *world) must(args ...string) string {
	w.t.Helper()
	r := w.run(args...)
	if r.code != 0 {
		w.t.Fatalf("terraform %s ended with %d:\n%s", strings.Join(args, " "), r.code, r.said)
	}
	return r.said
}

var applyArgs = []string{"apply", "-auto-approve", "-input=false", "-no-color"}

// apply has to succeed.
func (w *world) apply(more ...string) string {
	w.t.Helper()
	return w.must(slices.Concat(applyArgs, more)...)
}

// applyFails has to fail, saying everything of wanted, in whatever lines.
func (w *world) applyFails(wanted ...string) string {
	w.t.Helper()
	r := w.run(applyArgs...)
	if r.code == 0 {
		w.t.Fatalf("apply succeeded:\n%s", r.said)
	}
	expectSaid(w.t, r.said, wanted...)
	return r.said
}

func (w *world) destroy(more ...string) {
	w.t.Helper()
	w.must(slices.Concat([]string{"destroy", "-auto-approve", "-input=false", "-no-color"}, more)...)
}

// plan answers what terraform plan says and whether there is anything to do.
func (w *world) plan(more ...string) (said string, changes bool) {
	w.t.Helper()
	r := w.run(slices.Concat([]string{"plan", "-input=false", "-no-color", "-detailed-exitcode"}, more)...)
	if r.code != 0 && r.code != 2 {
		w.t.Fatalf("plan ended with %d:\n%s", r.code, r.said)
	}
	return r.said, r.code == 2
}

// nothingToDo holds when a plan is empty.
func (w *world) nothingToDo() {
	w.t.Helper()
	if said, changes := w.plan(); changes {
		w.t.Errorf("a plan after apply is not empty:\n%s", said)
	}
}

// output reads an output of the configuration into value.
func (w *world) output(name string, value any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.must("output", "-json", name)), value); err != nil {
		w.t.Fatalf("output %s: %v", name, err)
	}
}

func (w *world) text(name string) (value string) {
	w.t.Helper()
	w.output(name, &value)
	return value
}

// attribute reads an attribute of a resource in the state into value.
func (w *world) attribute(address, name string, value any) {
	w.t.Helper()
	var shown struct {
		Values struct {
			Root struct {
				Resources []struct {
					Address string
					Values  map[string]json.RawMessage
				}
			} `json:"root_module"`
		}
	}
	if err := json.Unmarshal([]byte(w.must("show", "-json")), &shown); err != nil {
		w.t.Fatal(err)
	}
	for _, r := range shown.Values.Root.Resources {
		if r.Address == address {
			if err := json.Unmarshal(r.Values[name], value); err != nil {
				w.t.Fatalf("%s of %s: %v", name, address, err)
			}
			return
		}
	}
	w.t.Fatalf("the state has no %s", address)
}

// expectSaid holds when all of wanted was said, however lines are broken.
func expectSaid(t testing.TB, said string, wanted ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(said)), " ")
	for _, text := range wanted {
		if !strings.Contains(flat, text) {
			t.Errorf("%q was not said in:\n%s", text, said)
		}
	}
}

// until polls the condition, which says what it still waits for.
func until(t testing.TB, within time.Duration, condition func() error) {
	t.Helper()
	deadline, tick := time.After(within), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("not within %s: %v", within, err)
		case <-tick.C:
		}
	}
}

// client never reuses a connection: it must see what answers now.
var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

// get answers the page, or why there is none.
func get(url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	page, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return strings.TrimSpace(string(page)), err
}

// answers holds when the page says wanted.
func answers(t testing.TB, url, wanted string) {
	t.Helper()
	if page, err := get(url); err != nil || page != wanted {
		t.Errorf("%s answers %q, %v, want %q", url, page, err, wanted)
	}
}

// safeBuffer may be read while it is written.
type safeBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
