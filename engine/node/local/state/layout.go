package state

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Root is the directory of a local node. Names below it are short: overlay
// options must fit a page.
type Root struct{ Dir string }

// Images is where the image cache lies.
func (r Root) Images() string { return filepath.Join(r.Dir, "images") }

// Sandboxes is the directory of all sandboxes.
func (r Root) Sandboxes() string { return filepath.Join(r.Dir, "d") }

// Sandbox is the place of an engine's deployment.
func (r Root) Sandbox(engineID, deployment string) Sandbox {
	sum := sha256.Sum256([]byte(engineID + "\x00" + deployment))
	return Sandbox{Dir: filepath.Join(r.Sandboxes(), hex.EncodeToString(sum[:6]))}
}

// Volumes is the directory of a deployment's named volumes. It carries the
// deployment's own name, because volumes outlive everything that could say whose they are.
func (r Root) Volumes(deployment string) string {
	return filepath.Join(r.Dir, "v", strings.ReplaceAll(deployment, "/", "."))
}

// Volume is the directory of one named volume.
func (r Root) Volume(deployment, component, volume string) string {
	return filepath.Join(r.Volumes(deployment), component+"."+volume)
}

// Snapshots is the directory of the copies of a deployment's volumes, beside the
// volumes: where the file system can, the two share what is the same.
func (r Root) Snapshots(deployment string) string {
	return filepath.Join(r.Dir, "s", strings.ReplaceAll(deployment, "/", "."))
}

// Filling tells where the files of an image lie that a volume is being filled
// with: while they are being copied, and once all of them are there. No component
// has such a name.
func Filling(volume string) (copied, complete string) {
	dir, name := filepath.Split(volume)
	return filepath.Join(dir, ".copied."+name), filepath.Join(dir, ".complete."+name)
}

// Sandbox is the directory of one deployment: its supervisor, instances and logs.
type Sandbox struct{ Dir string }

// ID is the short name of the sandbox, unique on the node.
func (s Sandbox) ID() string { return filepath.Base(s.Dir) }

// LabelFile says whose sandbox it is; see Label.
func (s Sandbox) LabelFile() string { return filepath.Join(s.Dir, "label.json") }

// AliveFile is locked by the supervisor for as long as it lives.
func (s Sandbox) AliveFile() string { return filepath.Join(s.Dir, "alive") }

// ProcessFile names the supervisor's process; see Process.
func (s Sandbox) ProcessFile() string { return filepath.Join(s.Dir, "process.json") }

// RoutesFile holds the traffic table; see Routes.
func (s Sandbox) RoutesFile() string { return filepath.Join(s.Dir, "routes.json") }

// CgroupsFile lists the control groups that the supervisor made.
func (s Sandbox) CgroupsFile() string { return filepath.Join(s.Dir, "cgroups.json") }

// SupervisorLog is what the supervisor itself has to say.
func (s Sandbox) SupervisorLog() string { return filepath.Join(s.Dir, "supervisor.log") }

// Socket is the control socket.
func (s Sandbox) Socket() string { return filepath.Join(s.Dir, "s") }

// DoorsFile lists the doors that guests are let in by; see Door.
func (s Sandbox) DoorsFile() string { return filepath.Join(s.Dir, "doors.json") }

// Guests is the directory of the doors that this deployment's instances are let
// in by as guests of others. They see it at GuestDir.
func (s Sandbox) Guests() string { return filepath.Join(s.Dir, "g") }

// Instances is the directory of all instances.
func (s Sandbox) Instances() string { return filepath.Join(s.Dir, "i") }

// Logs is the directory of the instances' output.
func (s Sandbox) Logs() string { return filepath.Join(s.Dir, "l") }

// Log is the newest output file of an instance; older ones carry .1, .2, ….
func (s Sandbox) Log(name string) string { return filepath.Join(s.Logs(), name+".log") }

// Instance is the place of one instance.
func (s Sandbox) Instance(name string) Instance {
	return Instance{Dir: filepath.Join(s.Instances(), name)}
}

// Instance is the directory of one instance.
type Instance struct{ Dir string }

// Name is the instance's name, unique in its deployment.
func (i Instance) Name() string { return filepath.Base(i.Dir) }

// RecordFile says what the instance is; see Record.
func (i Instance) RecordFile() string { return filepath.Join(i.Dir, "spec.json") }

// StatusFile says what the instance does; see Status.
func (i Instance) StatusFile() string { return filepath.Join(i.Dir, "status.json") }

// Upper is the writable layer.
func (i Instance) Upper() string { return filepath.Join(i.Dir, "u") }

// Work is overlayfs's own directory.
func (i Instance) Work() string { return filepath.Join(i.Dir, "w") }

// Merged is where the root file system is put together.
func (i Instance) Merged() string { return filepath.Join(i.Dir, "m") }

var instanceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// CheckName refuses an instance name that cannot be a file name everywhere.
func CheckName(name string) error {
	if len(name) > 100 || !instanceName.MatchString(name) {
		return engine.Invalid("name", "%q is not a name of an instance", name)
	}
	return nil
}
