package docker_test

import (
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// How an instance ended is known while it waits to be started again, and still
// when it runs again.
func TestLastEndOfWhatRunsAgain(t *testing.T) {
	b := newBench(t, open(t, over(daemon(t).Host)))
	key := b.start("api-1-1", 1, engine.Component{Env: map[string]string{"DIE_AFTER": "500ms", "EXIT_CODE": "7"}})
	for _, state := range []node.State{node.Restarting, node.Running} {
		var i node.Instance
		b.until("it is "+string(state), func() bool {
			var err error
			i, err = b.Inspect(t.Context(), key)
			b.ok(err)
			return i.State == state && i.Restarts > 0
		})
		if i.ExitCode != 7 || i.OOMKilled {
			t.Errorf("%s: it had ended with %d (out of memory: %t), want 7", state, i.ExitCode, i.OOMKilled)
		}
	}
}

// A SIGKILL that somebody asked Docker for is not taken for want of memory.
func TestKilledByHandIsNotOutOfMemory(t *testing.T) {
	d := daemon(t)
	b := newBench(t, open(t, over(d.Host)))
	c := engine.Component{Restart: "never", Resources: &engine.Resources{Memory: "64Mi"}}
	key := b.start("api-1-1", 1, c)
	_, err := d.Client(t).ContainerKill(t.Context(), strings.TrimPrefix(b.deployment, "acme/test/")+"-api-1-1", client.ContainerKillOptions{Signal: "SIGKILL"})
	b.ok(err)
	b.until("it has ended", func() bool {
		i, err := b.Inspect(t.Context(), key)
		b.ok(err)
		if i.State == node.Exited && (i.ExitCode != 137 || i.OOMKilled) {
			t.Fatalf("%+v", i)
		}
		return i.State == node.Exited
	})
}
