package nodetest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// newOutside makes a directory of the node that anybody may write to, and no
// instance may reach.
func newOutside(tool []byte) (string, error) {
	dir, err := os.MkdirTemp("", "slipway-outside-")
	if err != nil {
		return "", err
	}
	errs := []error{os.Chmod(dir, 0o777)} //nolint:gosec // the worst case
	for name, content := range map[string][]byte{"secret": []byte("of the node"), "resolv.conf": []byte("of the node"), "program": tool} {
		path := filepath.Join(dir, name)
		errs = append(errs, os.WriteFile(path, content, 0o777), os.Chmod(path, 0o777)) //nolint:gosec // the worst case
	}
	return dir, errors.Join(errs...)
}

func crookedFiles(outside, tool string) []testimage.File {
	through := "/proc/1/root" + outside
	return []testimage.File{
		{Path: "tool", Content: tool, Mode: 0o755},
		{Path: "etc", Symlink: through},
		{Path: "out", Symlink: through},
		{Path: "down/up", Symlink: "../../../../../.." + outside},
		{Path: "program", Symlink: through + "/program"},
		{Path: "run", Symlink: "proc/1/root" + outside},
		{Path: "top", Symlink: "/"},
	}
}

// testConfinement lets images and components lead out of the instance in every way
// they can. Whether such an instance starts is the runtime's choice.
func testConfinement(h *harness) {
	before := h.outside()
	for name, c := range map[string]engine.Component{
		"nothing":   {}, // /etc leads out, where every runtime writes
		"dir":       {WorkingDir: "/proc/1/root"},
		"self":      {WorkingDir: "/proc/self/cwd"},
		"link":      {WorkingDir: "/out"},
		"below":     {WorkingDir: "/out/made/here"},
		"up":        {WorkingDir: "/down/up"},
		"file":      {Files: map[string]engine.File{"/proc/1/root" + h.images.Outside + "/secret": {Content: "written"}}},
		"filelink":  {Files: map[string]engine.File{"/out/secret": {Content: "written"}}},
		"fileup":    {Files: map[string]engine.File{"/down/up/made": {Content: "written"}}},
		"filerun":   {Files: map[string]engine.File{"/run/secret": {Content: "written"}}},
		"volume":    {Volumes: map[string]engine.Volume{"data": {Path: "/out/volume"}}},
		"volumeup":  {Volumes: map[string]engine.Volume{"up": {Path: "/down/up/volume"}}},
		"filled":    {Volumes: map[string]engine.Volume{"filled": {Path: "/out"}}},
		"top":       {Volumes: map[string]engine.Volume{"top": {Path: "/top"}}},
		"memory":    {Tmpfs: map[string]engine.Tmpfs{"/out/memory": {}}},
		"program":   {Command: []string{"/program", "sleep", "1h"}},
		"processes": {Command: []string{"/proc/1/root" + h.images.Outside + "/program", "sleep", "1h"}},
		"secrets":   {SecretFiles: map[string]string{"/out/key": "KEY"}},
	} {
		users := []string{""}
		if len(c.Command) > 0 || c.WorkingDir == "/out" {
			users = append(users, "1000")
		}
		for _, user := range users {
			h.confined(name+user+"-1-1", c, user)
			if after := h.outside(); after != before {
				h.Fatalf("%s as user %q changed the node: %q, before %q", name, user, after, before)
			}
		}
	}
}

func (h *harness) confined(name string, c engine.Component, user string) {
	h.Helper()
	if len(c.Command) == 0 {
		c.Command = []string{"/tool", "sleep", "1h"}
	}
	c.User, c.StopGracePeriod = user, "10ms"
	spec := h.spec(name, c)
	spec.Image = h.images.Crooked.Reference
	h.ok(h.Create(h.ctx, spec))
	secrets := node.Secrets{}
	for path := range c.SecretFiles {
		secrets.Files = map[string][]byte{path: []byte("written")}
	}
	if err := h.Start(h.ctx, spec.Key, secrets); err != nil {
		if c.WorkingDir == "" && len(c.Files)+len(c.Volumes) == 0 && c.Command[0] == "/tool" {
			h.Errorf("%s: %v", name, err)
		}
		h.ok(h.Remove(h.ctx, spec.Key))
		return
	}
	if strings.Contains(c.Command[0], "program") {
		h.Errorf("%s: a program of the node was started", name)
	}
	commands := [][]string{{"/program", "id"}, {"/out/program", "id"}}
	for _, place := range []string{h.images.Outside, "/out", "/down/up", "/proc/1/cwd", "/proc/1/cwd" + h.images.Outside} {
		commands = append(commands, []string{"/tool", "cat", place + "/secret"})
	}
	for _, command := range commands {
		r, err := h.Exec(h.ctx, spec.Key, command)
		if err == nil && r.ExitCode == 0 && r.Output != "written" {
			h.Errorf("%s as user %q: %q reaches the node: %q", name, c.User, command, r.Output)
		}
	}
	h.ok(h.Remove(h.ctx, spec.Key))
}

// outside tells all that is in the directory outside.
func (h *harness) outside() string {
	h.Helper()
	var all []string
	entries, err := os.ReadDir(h.images.Outside)
	h.ok(err)
	for _, e := range entries {
		text := ""
		if e.Name() != "program" {
			content, err := os.ReadFile(filepath.Join(h.images.Outside, e.Name()))
			h.ok(err)
			text = string(content)
		}
		all = append(all, e.Name()+"="+text)
	}
	return strings.Join(all, ",")
}
