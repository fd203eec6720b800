package docker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// gpuHook is what the NVIDIA Container Toolkit puts beside a Docker Engine, which
// then has a driver of GPUs: it runs it before it starts a container that has some.
// This one has no GPU to give, and keeps a record of who asked.
const gpuHook = "nvidia-container-runtime-hook"

// A Docker Engine that has the driver gives an instance as many GPUs as it asks for.
func TestGPUs(t *testing.T) {
	dir := t.TempDir()
	record := filepath.Join(dir, "asked")
	script := "#!/bin/sh\ncat >>" + record + "\n"
	if err := os.WriteFile(filepath.Join(dir, gpuHook), []byte(script), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	d := testdocker.New(t, testdocker.Options{})
	b := newBench(t, open(t, over(d.Host)))
	for name, want := range map[string]struct {
		gpus, visible string
		count         int
	}{
		"all-1-1": {engine.AllGPUs, "all", -1},
		"two-1-1": {"2", "0,1", 2},
	} {
		c := engine.Component{GPUs: want.gpus, StopGracePeriod: "10ms"}
		s := b.spec(name, 1, c)
		b.ok(b.Preflight(t.Context(), b.deployment, []node.Spec{s}))
		b.ok(b.Create(t.Context(), s))
		b.ok(b.Start(t.Context(), s.Key, node.Secrets{}))
		found, err := d.Client(t).ContainerInspect(t.Context(), containerOf(b, s.Key), client.ContainerInspectOptions{})
		b.ok(err)
		asked := found.Container.HostConfig.DeviceRequests
		if len(asked) != 1 || asked[0].Count != want.count || len(asked[0].Capabilities) != 1 || strings.Join(asked[0].Capabilities[0], " ") != "gpu" {
			t.Errorf("%s asks for %+v", name, asked)
		}
		b.serving(s.Key)
		if env := b.get(s.Key, "/env"); !strings.Contains(env, "NVIDIA_VISIBLE_DEVICES="+want.visible+"\n") {
			t.Errorf("%s sees other GPUs than %s: %s", name, want.visible, env)
		}
		if told, err := os.ReadFile(record); err != nil || !strings.Contains(string(told), found.Container.ID) {
			t.Errorf("nobody gave %s its GPUs: %v", name, err)
		}
		if i, err := b.Inspect(t.Context(), s.Key); err != nil || len(i.Altered) > 0 {
			t.Errorf("%+v (%v)", i, err)
		}
	}
}
