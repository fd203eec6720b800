package nodetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

func testExec(h *harness) {
	c := idle()
	c.User = "app"
	key := h.start("api-1-1", c)
	r, err := h.Exec(h.ctx, key, []string{"/tool", "exit", "7"})
	h.ok(err)
	if r.ExitCode != 7 {
		h.Fatalf("%+v", r)
	}
	if got := h.tool(key, "id"); !strings.HasPrefix(got, "1000 1000") {
		h.Errorf("a command runs as %s", got)
	}
	r, err = h.Exec(h.ctx, key, []string{"tool", "lines", "2000"}) // found in the image's PATH
	h.ok(err)
	if len(r.Output) > 4096 || !strings.HasSuffix(r.Output, "line 2000\n") {
		h.Errorf("%d bytes of output, ending with %q", len(r.Output), r.Output[max(0, len(r.Output)-20):])
	}
	_, err = h.Exec(h.ctx, key, []string{"/no/such/file"})
	h.is(err, engine.ErrInvalid)
	h.ok(h.Stop(h.ctx, key))
	if _, err = h.Exec(h.ctx, key, []string{"/tool", "id"}); err == nil {
		h.Error("a command ran in a stopped instance")
	}
	_, err = h.Exec(h.ctx, h.key("nobody-1-1"), []string{"/tool", "id"})
	h.is(err, engine.ErrNotFound)
}

func testExecKillsTree(h *harness) {
	dir := h.TempDir()
	h.ok(os.Chmod(dir, 0o777)) //nolint:gosec // the instance writes to it
	c := idle()
	c.HostPaths = map[string]engine.HostPath{"/beats": {Source: dir}}
	key := h.start("api-1-1", c)
	ctx, cancel := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() {
		_, err := h.Exec(ctx, key, []string{"/tool", "tree", "/beats/x"})
		ended <- err
	}()
	alive := func(depth string) func() bool {
		return func() bool {
			_, err := os.Stat(filepath.Join(dir, "x."+depth))
			return err == nil
		}
	}
	h.until("the command runs", alive("2"))
	h.until("its orphaned grandchild runs", alive("0"))
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		h.Fatalf("a cancelled command answered %v", err)
	}
	for _, depth := range []string{"2", "0"} {
		h.ok(os.Remove(filepath.Join(dir, "x."+depth)))
	}
	// What lives on writes again. There is no other sign of death that counts: a
	// first process that does not reap leaves zombies.
	pause := time.NewTimer(100 * time.Millisecond) // ten beats
	defer pause.Stop()
	<-pause.C
	for _, depth := range []string{"2", "0"} {
		if alive(depth)() {
			h.Errorf("process %s of the command lives on", depth)
		}
	}
	if i := h.inspect(key); i.State != node.Running || i.Restarts != 0 {
		h.Errorf("the instance was hit: %+v", i)
	}
}

func testLogs(h *harness) {
	c := engine.Component{Restart: "never", Command: []string{"/tool", "lines", "50"}}
	key := h.start("api-1-1", c)
	h.state(key, node.Exited)
	for range 2 {
		lines, err := h.Logs(h.ctx, key, 3)
		h.ok(err)
		h.want(strings.Join(lines, ","), "line 48,line 49,line 50")
		h.ok(h.Remove(h.ctx, key)) // and once more: the output stays for a day
	}
	lines, err := h.Logs(h.ctx, h.start("silent-1-1", idle()), 5)
	h.ok(err)
	if len(lines) != 0 {
		h.Fatalf("%q", lines)
	}
	c = engine.Component{Restart: "never", Command: []string{"/tool", "lines", "20000"}, Logging: &engine.Logging{MaxSize: "10Ki", MaxFiles: ptr(2)}}
	rotated := h.start("rotated-1-1", c)
	h.state(rotated, node.Exited)
	lines, err = h.Logs(h.ctx, rotated, 100000)
	h.ok(err)
	if len(lines) == 0 || len(lines) > 4000 || lines[len(lines)-1] != "line 20000" {
		h.Fatalf("%d lines are kept", len(lines))
	}
}

// testLastWords: whoever sees that an instance ended can read all that it said, while
// it is started again, and when it was removed.
func testLastWords(h *harness) {
	var keys []node.Key
	for _, name := range []string{"a-1-1", "b-1-1", "c-1-1", "d-1-1"} {
		keys = append(keys, h.start(name, engine.Component{Command: []string{"/tool", "lines", "50"}}))
	}
	for _, key := range keys {
		h.until(key.Name+" ended", func() bool { return h.inspect(key).ExitCode == 0 })
		for _, when := range []string{"ended", "was removed"} {
			said, err := h.Logs(h.ctx, key, 200)
			h.ok(err)
			if !slices.Contains(said, "line 50") {
				h.Errorf("when %s %s its output is %q", key.Name, when, said)
			}
			h.ok(h.Remove(h.ctx, key))
		}
	}
}
