package catalog

import (
	"encoding/base64"
	"path"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// What becomes of a volume when its deployment is destroyed.
const (
	VolumeRetain = "retain"
	VolumeDelete = "delete"
)

// SnapshotOnUpgrade takes a copy of a volume before its component is replaced.
const SnapshotOnUpgrade = "on_upgrade"

// mounts remembers which path of an instance is taken by which field.
type mounts struct {
	problems
	taken map[string]string
}

func (m *mounts) claim(field, where string) {
	if err := checkPath(field, where); err != nil {
		m.add(err)
		return
	}
	if err := checkNotKernel(field, where); err != nil {
		m.add(err)
		return
	}
	m.take(field, where)
}

// claimDevice is claim for a device, which has its place below /dev as well.
func (m *mounts) claimDevice(field, where string) {
	if err := checkPath(field, where); err != nil {
		m.add(err)
		return
	}
	if !strings.HasPrefix(where, "/dev/") {
		if err := checkNotKernel(field, where); err != nil {
			m.add(err)
			return
		}
	}
	m.take(field, where)
}

func (m *mounts) take(field, where string) {
	if other, taken := m.taken[where]; taken {
		m.invalid(field, "the path %q is already used by %s", where, other)
		return
	}
	m.taken[where] = field
}

// validateMounts checks everything that is put at a path of the instance.
func validateMounts(c engine.Component) error {
	m := mounts{taken: map[string]string{}}
	for name, v := range sorted(c.Volumes) {
		field := "volumes." + name
		m.add(engine.CheckName(field, name))
		m.claim(field+".path", v.Path)
		m.at(field, validateVolume(v))
	}
	for where, f := range sorted(c.Files) {
		m.claim("files."+where, where)
		m.at("files."+where, validateFile(f))
	}
	for where := range sorted(c.SecretFiles) {
		m.claim("secret_files."+where, where)
	}
	for where, t := range sorted(c.Tmpfs) {
		m.claim("tmpfs."+where, where)
		_, err := engine.ParseSize("tmpfs."+where+".size", t.Size, 0)
		m.add(err)
	}
	for where, h := range sorted(c.HostPaths) {
		m.claim("host_paths."+where, where)
		if h.Source != "/" {
			m.add(checkPath("host_paths."+where+".source", h.Source))
		}
	}
	for where, d := range sorted(c.Devices) {
		m.claimDevice("devices."+where, where)
		m.at("devices."+where, validateDevice(d))
	}
	return m.err()
}

// checkNotKernel refuses the directories that show the kernel and its devices:
// every runtime fills them itself, and nothing of a component belongs there.
func checkNotKernel(field, p string) error {
	for _, kernel := range []string{"/proc", "/sys", "/dev"} {
		if p != kernel && !strings.HasPrefix(p, kernel+"/") {
			continue
		}
		e := engine.Invalid(field, "%s is at or below %s, which shows the kernel and its devices", p, kernel)
		e.Hint = "use a path outside of /proc, /sys and /dev"
		if p == "/dev/shm" {
			e.Hint = "say how big it is with shm_size"
		}
		return e
	}
	return nil
}

func checkPath(field, p string) error {
	switch {
	case !path.IsAbs(p):
		return engine.Invalid(field, "%q is not an absolute path", p)
	case path.Clean(p) != p:
		return engine.Invalid(field, "%q is not a clean path: write %q", p, path.Clean(p))
	case p == "/":
		return engine.Invalid(field, "the root directory cannot be used here")
	case strings.ContainsRune(p, 0):
		return engine.Invalid(field, "a path must not hold a NUL character")
	}
	return nil
}

func validateVolume(v engine.Volume) error {
	var p problems
	p.oneOf("on_destroy", v.OnDestroy, VolumeRetain, VolumeDelete)
	p.oneOf("snapshot", v.Snapshot, SnapshotOnUpgrade)
	if v.PreSnapshot != nil {
		p.at("pre_snapshot", validatePreSnapshot(*v.PreSnapshot, v.Snapshot))
	}
	_, err := engine.ParseSize("size", v.Size, 0)
	p.add(err)
	p.add(validateDriver(v.Driver, v.DriverOptions))
	return p.err()
}

func validatePreSnapshot(s engine.PreSnapshot, when string) error {
	var p problems
	if when == "" {
		p.invalid("", "no snapshot of the volume is ever taken: say when, snapshot = %q", SnapshotOnUpgrade)
	}
	if len(s.Command) == 0 {
		p.invalid("command", "a command is needed")
	}
	p.add(validateWords("command", s.Command, true))
	p.positive("timeout", s.Timeout)
	return p.err()
}

func validateDevice(d engine.Device) error {
	var p problems
	p.add(checkPath("source", d.Source))
	if strings.Trim(d.Permissions, DefaultDevicePermissions) != "" || len(d.Permissions) > len(sortedSet([]rune(d.Permissions))) {
		p.invalid("permissions", "%q is not made of r, w and m, each at most once", d.Permissions)
	}
	return p.err()
}

// validateFile takes a file without content for an empty file.
func validateFile(f engine.File) error {
	var p problems
	if f.Content != "" && f.ContentBase64 != "" {
		p.invalid("content_base64", "give either content or content_base64, not both")
	}
	if _, err := base64.StdEncoding.DecodeString(f.ContentBase64); err != nil {
		p.invalid("content_base64", "this is not standard base64: %v", err)
	}
	_, err := engine.ParseMode("mode", f.Mode, 0)
	p.add(err)
	return p.err()
}

// validateEnv checks the names and values of variables.
func validateEnv(field string, env map[string]string) error {
	var p problems
	for name, value := range sorted(env) {
		p.add(checkEnvName(field, name))
		if strings.ContainsRune(value, 0) {
			p.invalid(field+"."+name, "a value must not hold a NUL character")
		}
	}
	return p.err()
}

// validateVariables is validateEnv for a layer that may take variables away.
func validateVariables(field string, variables engine.Variables) error {
	env := make(map[string]string, len(variables))
	for name, value := range variables {
		if env[name] = ""; value != nil {
			env[name] = *value
		}
	}
	return validateEnv(field, env)
}

func checkEnvName(field, name string) error {
	if name == "" || strings.ContainsAny(name, "=\x00") {
		return engine.Invalid(field, "%s is not the name of a variable: it must not be empty, nor hold '=' or NUL", strconv.Quote(name))
	}
	return nil
}

func validateSecrets(c engine.Component) error {
	var p problems
	seen := map[string]bool{}
	for i, name := range c.Secrets {
		field := "secrets." + strconv.Itoa(i)
		p.add(checkEnvName(field, name))
		if seen[name] {
			p.invalid(field, "%q is listed twice", name)
		}
		if _, both := c.Env[name]; both {
			p.invalid(field, "%q is also in env: only one of them can be given to the process", name)
		}
		seen[name] = true
	}
	for where, name := range sorted(c.SecretFiles) {
		p.add(checkEnvName("secret_files."+where, name))
	}
	return p.err()
}
