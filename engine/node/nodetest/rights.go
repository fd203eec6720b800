package nodetest

import (
	"errors"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

func testCapabilities(h *harness) {
	status := func(key node.Key, field string) string {
		for _, line := range strings.Split(h.tool(key, "cat", "/proc/self/status"), "\n") {
			if value, ok := strings.CutPrefix(line, field+":"); ok {
				return strings.TrimSpace(value)
			}
		}
		h.Fatalf("no %s", field)
		return ""
	}
	usual := h.start("usual-1-1", idle())
	h.want(status(usual, "CapEff"), "00000000a80425fb") // Docker's fourteen
	h.want(status(usual, "CapBnd"), "00000000a80425fb")
	h.want(status(usual, "NoNewPrivs"), "1")
	c := idle()
	c.Security = &engine.Security{CapabilitiesDrop: []string{"ALL"}, CapabilitiesAdd: []string{"CHOWN", "SYS_NICE"}, NoNewPrivileges: ptr(false)}
	chosen := h.start("chosen-1-1", c)
	h.want(status(chosen, "CapEff"), "0000000000800001")
	h.want(status(chosen, "NoNewPrivs"), "0")
	c = idle()
	c.User = "app"
	user := h.start("user-1-1", c)
	h.want(status(user, "CapEff"), "0000000000000000")
	h.want(status(user, "CapPrm"), "0000000000000000")
}

func testUlimits(h *harness) {
	info, err := h.Info(h.ctx)
	h.ok(err)
	c := idle()
	c.Ulimits = map[string]engine.Ulimit{"core": {Soft: 4096, Hard: 8192}, "nofile": {Soft: 1 << 40, Hard: 1 << 40}} // no kernel gives as many
	err = errors.Join(h.Check(c, info), h.Preflight(h.ctx, h.deployment, []node.Spec{h.spec("api-1-1", c)}))
	if err == nil || !strings.Contains(err.Error(), "nofile") {
		h.Fatalf("what the node cannot give is not refused: %v", err)
	}
	delete(c.Ulimits, "nofile")
	h.ok(errors.Join(h.Check(c, info), h.Preflight(h.ctx, h.deployment, []node.Spec{h.spec("api-1-1", c)})))
	key := h.start("api-1-1", c)
	for _, path := range []string{"/proc/1/limits", "/proc/self/limits"} {
		if limits := h.tool(key, "cat", path); !strings.Contains(strings.Join(strings.Fields(limits), " "), "Max core file size 4096 8192") {
			h.Fatal(path, limits)
		}
	}
}

func testMemory(h *harness) {
	info, err := h.Info(h.ctx)
	h.ok(err)
	c := engine.Component{Restart: "never", Resources: &engine.Resources{Memory: "32Mi", Pids: ptr(64), CPU: ptr(0.5)},
		Env: map[string]string{"OOM": "256Mi"}}
	if !info.LimitMemory || !info.LimitPids || !info.LimitCPU {
		h.is(h.Check(c, info), engine.ErrUnsupported)
		return
	}
	h.ok(h.Check(c, info))
	greedy := h.start("greedy-1-1", c)
	if i := h.state(greedy, node.Exited); !i.OOMKilled || i.ExitCode != 137 {
		h.Fatalf("over its memory limit: %+v", i)
	}
	c.Env = nil
	modest := h.start("modest-1-1", c)
	h.serving(modest)
	h.ok(h.Stop(h.ctx, modest))
	if i := h.inspect(modest); i.OOMKilled {
		h.Fatalf("%+v", i)
	}
}
