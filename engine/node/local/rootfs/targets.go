package rootfs

import (
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// kernels are the directories that show the kernel: they are mounted last, over
// whatever an image or a component has there.
var kernels = []string{"/proc", "/sys", "/dev"}

// checkTargets refuses to put anything where the kernel's directories would hide it.
func checkTargets(p Plan) error {
	targets := map[string]string{} // field by path
	for _, b := range p.Binds {
		targets[b.Target] = b.Field
	}
	for _, t := range p.Tmpfs {
		targets[t.Target] = "tmpfs." + t.Target
	}
	for _, f := range p.Files {
		targets[f.Path] = "files." + f.Path
	}
	for _, f := range p.Secrets {
		targets[f.Path] = "secret_files." + f.Path
	}
	targets[p.WorkingDir] = "working_dir"
	for target, field := range targets {
		for _, k := range kernels {
			if target == k || strings.HasPrefix(target, k+"/") {
				e := engine.Invalid(field, "%s is at or below %s, which shows the kernel and its devices", target, k)
				e.Hint = "use a path outside of /proc, /sys and /dev"
				return e
			}
		}
	}
	return nil
}
