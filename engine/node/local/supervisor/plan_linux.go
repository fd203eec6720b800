package supervisor

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/caps"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/process"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/rootfs"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// defaultShm is the size of /dev/shm, as Docker has it.
const defaultShm = 64 << 20

// rootOf lays out the root file system of an instance at address.
func (s *Supervisor) rootOf(place state.Instance, r state.Record, secrets node.Secrets, address netip.Addr) (rootfs.Plan, error) {
	c := r.Spec.Component
	shm, err := engine.ParseSize("shm_size", c.ShmSize, defaultShm)
	if err != nil {
		return rootfs.Plan{}, err
	}
	p := rootfs.Plan{
		Layers: r.Image.Layers, Upper: place.Upper(), Work: place.Work(), Merged: place.Merged(),
		ReadOnly: c.Security != nil && c.Security.ReadOnlyRoot, Users: s.users,
		Hostname: hostname(r.Spec), ResolvConf: s.network.ResolvConf(),
		User: first(c.User, r.Image.User), WorkingDir: first(c.WorkingDir, r.Image.WorkingDir), ShmSize: shm,
	}
	p.Hosts = hosts(p.Hostname, address, c.ExtraHosts)
	for path, t := range c.Tmpfs {
		size, err := engine.ParseSize("tmpfs."+path+".size", t.Size, 0)
		if err != nil {
			return p, err
		}
		p.Tmpfs = append(p.Tmpfs, rootfs.Tmpfs{Target: path, Size: size})
	}
	slices.SortFunc(p.Tmpfs, func(a, b rootfs.Tmpfs) int { return strings.Compare(a.Target, b.Target) })
	for name, v := range c.Volumes {
		p.Binds = append(p.Binds, rootfs.Bind{
			Source: s.root.Volume(r.Spec.Key.Deployment, r.Spec.Labels.Component, name), Target: v.Path,
			ReadOnly: v.ReadOnly, Volume: true, Field: "volumes." + name,
		})
	}
	if r.Spec.Guest {
		p.Binds = append(p.Binds, rootfs.Bind{Source: s.place.Guests(), Target: state.GuestDir, ReadOnly: true})
	}
	for path, h := range c.HostPaths {
		p.Binds = append(p.Binds, rootfs.Bind{
			Source: h.Source, Target: path, ReadOnly: h.ReadOnly, Field: "host_paths." + path + ".source",
		})
	}
	for path, f := range c.Files {
		file, err := fileOf(path, f)
		if err != nil {
			return p, err
		}
		p.Files = append(p.Files, file)
	}
	for path, content := range secrets.Files {
		p.Secrets = append(p.Secrets, rootfs.File{Path: path, Content: content})
	}
	return p, nil
}

func fileOf(path string, f engine.File) (rootfs.File, error) {
	mode, err := engine.ParseMode("files."+path+".mode", f.Mode, 0o644)
	if err != nil {
		return rootfs.File{}, err
	}
	content := []byte(f.Content)
	if f.ContentBase64 != "" {
		if content, err = base64.StdEncoding.DecodeString(f.ContentBase64); err != nil {
			return rootfs.File{}, engine.Invalid("files."+path+".content_base64", "not base64: %v", err)
		}
	}
	return rootfs.File{Path: path, Content: content, Mode: fs.FileMode(mode)}, nil
}

// commandOf says what runs in an instance: args replaces the image's command, and
// so does a command of the component's own, together with the image's entrypoint.
func (s *Supervisor) commandOf(r state.Record, secrets node.Secrets) (process.Command, error) {
	c := r.Spec.Component
	args := append(slices.Clone(r.Image.Entrypoint), r.Image.Cmd...)
	switch {
	case len(c.Command) > 0:
		args = append(slices.Clone(c.Command), c.Args...)
	case len(c.Args) > 0:
		args = append(slices.Clone(r.Image.Entrypoint), c.Args...)
	}
	if len(args) == 0 {
		return process.Command{}, engine.Invalid("command", "neither the image nor the component says what to run")
	}
	security := engine.Security{}
	if c.Security != nil {
		security = *c.Security
	}
	kept, err := caps.Wanted(security.CapabilitiesAdd, security.CapabilitiesDrop)
	if err != nil {
		return process.Command{}, err
	}
	return process.Command{
		Args: args, WorkingDir: first(c.WorkingDir, r.Image.WorkingDir),
		Env: process.Environment(r.Image.Env, []string{"HOSTNAME=" + hostname(r.Spec)},
			pairs(c.Env), pairs(r.Spec.Env), pairs(secrets.Env)),
		Capabilities: kept, NoNewPrivileges: security.NoNewPrivileges == nil || *security.NoNewPrivileges,
		Ulimits: c.Ulimits, Users: s.users,
	}, nil
}

func hostname(spec node.Spec) string {
	name := first(spec.Component.Hostname, spec.Key.Name)
	return name[:min(len(name), 63)] // a host name is at most one DNS label
}

func hosts(name string, address netip.Addr, extra map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n%s\t%s\n", address, name)
	for _, pair := range pairs(extra) {
		n, a, _ := strings.Cut(pair, "=")
		fmt.Fprintf(&b, "%s\t%s\n", a, n)
	}
	return b.String()
}

func pairs(m map[string]string) []string {
	all := make([]string, 0, len(m))
	for name, value := range m {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
