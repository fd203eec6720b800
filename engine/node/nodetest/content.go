package nodetest

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

func testEnvironment(h *harness) {
	c := engine.Component{Env: map[string]string{"VERSION": "mine", "EMPTY": ""}, WorkingDir: "/made/here", Hostname: "box",
		ExtraHosts: map[string]string{"elsewhere": "192.0.2.7"}, Args: nil}
	key := h.start("api-1-1", c)
	h.serving(key)
	env := strings.Split(h.get(key, "/env"), "\n")
	for _, want := range []string{"VERSION=mine", "EMPTY=", "HOSTNAME=box", "PATH=/", "HOME=/"} {
		if !slices.Contains(env, want) {
			h.Errorf("%q is not in the environment %q", want, env)
		}
	}
	h.want(h.get(key, "/"), "mine")
	h.want(h.get(key, "/hostname"), "box")
	h.want(h.tool(key, "env", "VERSION"), "mine")
	h.want(h.tool(key, "pwd"), "/made/here")
	h.want(h.tool(key, "resolve", "elsewhere"), "192.0.2.7")
	h.want(strings.ReplaceAll(h.tool(key, "cat", "/proc/1/cmdline"), "\x00", " "), "/app ") // the instance sees itself only
}

func testSecrets(h *harness) {
	secrets := node.Secrets{
		Env:   map[string]string{"PASSWORD": "canary-in-env"},
		Files: map[string][]byte{"/run/secrets/key": []byte("canary-in-file")},
	}
	spec := h.spec("api-1-1", engine.Component{User: "app"})
	h.startSpec(spec, secrets)
	h.serving(spec.Key)
	h.want(h.tool(spec.Key, "env", "PASSWORD"), "canary-in-env")
	h.want(h.tool(spec.Key, "cat", "/run/secrets/key"), "canary-in-file")
	h.want(strings.Fields(h.tool(spec.Key, "stat", "/run/secrets/key"))[0], "400")
	other := h.spec("api-1-2", engine.Component{})
	h.ok(h.Create(h.ctx, other))
	h.ok(h.Start(h.ctx, other.Key, node.Secrets{Env: map[string]string{"PASSWORD": "other"}}))
	h.ok(h.Stop(h.ctx, other.Key))
	h.ok(h.Start(h.ctx, other.Key, node.Secrets{Env: map[string]string{"PASSWORD": "newer"}}))
	h.want(h.tool(other.Key, "env", "PASSWORD"), "newer")
}

func testFiles(h *harness) {
	c := idle()
	c.Files = map[string]engine.File{
		"/etc/app/config.ini": {Content: "a=b\n"},
		"/usr/bin/script":     {ContentBase64: base64.StdEncoding.EncodeToString([]byte{0, 1, 255}), Mode: "0751"},
	}
	key := h.start("api-1-1", c)
	h.want(h.tool(key, "cat", "/etc/app/config.ini"), "a=b")
	h.want(strings.Fields(h.tool(key, "stat", "/etc/app/config.ini"))[0], "644")
	h.want(h.tool(key, "cat", "/usr/bin/script"), "\x00\x01\xff")
	h.want(strings.Fields(h.tool(key, "stat", "/usr/bin/script"))[0], "751")
}

func testUser(h *harness) {
	for _, test := range []struct{ user, want string }{
		{"", "0 0"}, {"app", "1000 1000"}, {"1000", "1000 1000"}, {"4711", "4711 0"}, {"app:nogroup", "1000 65534"}, {"33:44", "33 44"},
	} {
		c := idle()
		c.User = test.user
		key := h.start("u"+strings.ReplaceAll(test.user, ":", ".")+"-1-1", c)
		if got := h.tool(key, "id"); !strings.HasPrefix(got, test.want+" ") {
			h.Errorf("user %q is %s, want %s", test.user, got, test.want)
		}
		h.ok(h.Remove(h.ctx, key))
	}
	spec := h.spec("image-1-1", engine.Component{})
	spec.Image = h.images.AsUser.Reference
	h.startSpec(spec, node.Secrets{})
	h.serving(spec.Key)
	if got := h.tool(spec.Key, "id"); !strings.HasPrefix(got, "1000 1000 ") {
		h.Errorf("the image's user is %s", got)
	}
}

func testReadOnlyRoot(h *harness) {
	c := idle()
	c.Security = &engine.Security{ReadOnlyRoot: true}
	c.Tmpfs = map[string]engine.Tmpfs{"/scratch": {Size: "1Mi"}}
	key := h.start("api-1-1", c)
	h.tool(key, "write", "/scratch/x", "y")
	h.want(h.tool(key, "cat", "/scratch/x"), "y")
	for _, path := range []string{"/x", "/etc/x", "/proc/sys/kernel/hostname", "/sys/x"} {
		r, err := h.Exec(h.ctx, key, []string{"/tool", "write", path, "y"})
		h.ok(err)
		if r.ExitCode == 0 {
			h.Errorf("%s can be written", path)
		}
	}
}

func testVolumes(h *harness) {
	c := idle()
	c.Volumes = map[string]engine.Volume{"data": {Path: "/var/data"}, "cache": {Path: "/var/cache"}}
	old := h.start("db-1-1", c)
	h.tool(old, "write", "/var/data/kept", "through")
	h.ok(h.Stop(h.ctx, old))
	c.Volumes["data"] = engine.Volume{Path: "/elsewhere", ReadOnly: true}
	newer := h.start("db-2-1", c)
	h.want(h.tool(newer, "cat", "/elsewhere/kept"), "through")
	r, err := h.Exec(h.ctx, newer, []string{"/tool", "write", "/elsewhere/x", "y"})
	h.ok(err)
	if r.ExitCode == 0 {
		h.Error("a read-only volume can be written")
	}
	h.ok(h.RemoveDeployment(h.ctx, h.deployment, []string{"db/cache"}))
	volumes, err := h.Volumes(h.ctx, h.deployment)
	h.ok(err)
	h.want(strings.Join(volumes, ","), "db/data")
	c.Volumes["data"] = engine.Volume{Path: "/var/data"}
	again := h.start("db-3-1", c)
	h.want(h.tool(again, "cat", "/var/data/kept"), "through")
}

func testVolumeFilled(h *harness) {
	c := idle()
	c.Volumes = map[string]engine.Volume{"full": {Path: "/full"}, "empty": {Path: "/fresh"}}
	c.User = "app"
	key := h.start("db-1-1", c)
	h.want(h.tool(key, "cat", "/full/seed"), "seed")
	h.tool(key, "write", "/full/seed", "changed")
	h.tool(key, "write", "/fresh/x", "y") // a volume where the image has nothing belongs to the user
	h.ok(h.Stop(h.ctx, key))
	newer := h.start("db-2-1", c)
	h.want(h.tool(newer, "cat", "/full/seed"), "changed")
}

func testHostPaths(h *harness) {
	dir := h.TempDir()
	h.ok(os.Chmod(dir, 0o755)) //nolint:gosec // the instance reads it
	h.ok(os.WriteFile(filepath.Join(dir, "given"), []byte("by the node"), 0o600))
	c := idle()
	c.HostPaths = map[string]engine.HostPath{
		"/given": {Source: filepath.Join(dir, "given"), ReadOnly: true}, "/dir": {Source: dir},
	}
	key := h.start("api-1-1", c)
	h.want(h.tool(key, "cat", "/given"), "by the node")
	h.tool(key, "write", "/dir/answer", "from inside")
	text, err := os.ReadFile(filepath.Join(dir, "answer"))
	h.ok(err)
	h.want(string(text), "from inside")
	r, err := h.Exec(h.ctx, key, []string{"/tool", "write", "/given", "x"})
	h.ok(err)
	if r.ExitCode == 0 {
		h.Error("a read-only path can be written")
	}
	c.HostPaths = map[string]engine.HostPath{"/x": {Source: filepath.Join(dir, "missing")}}
	h.is(h.Preflight(h.ctx, h.deployment, []node.Spec{h.spec("api-2-1", c)}), engine.ErrInvalid)
}
