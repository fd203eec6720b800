package state

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// GuestDir is where an instance that is a guest of other deployments sees the
// doors to them.
const GuestDir = "/run/slipway"

// maxSocketPath is how long the path of a socket may be, for whoever dials it.
const maxSocketPath = 107

// Door is a socket that leads a guest to a port of an instance.
type Door struct {
	Guest    string `json:"guest"` // sandbox
	Instance string `json:"instance"`
	Port     int    `json:"port"`
}

// Seen is the path by which the guest sees the door of a deployment's sandbox.
func (d Door) Seen(of Sandbox) string {
	return fmt.Sprintf("%s/%s/%s.%d", GuestDir, of.ID(), d.Instance, d.Port)
}

// Path is where the node has that socket.
func (d Door) Path(of Sandbox) string {
	guest := Sandbox{Dir: filepath.Join(filepath.Dir(of.Dir), d.Guest)}
	return filepath.Join(guest.Guests(), of.ID(), filepath.Base(d.Seen(of)))
}

// Check refuses a door that cannot be.
func (d Door) Check(of Sandbox) error {
	if err := CheckName(d.Instance); err != nil {
		return err
	}
	if d.Port < 1 || d.Port > 65535 {
		return engine.Invalid("port", "%d is no port", d.Port)
	}
	if len(d.Seen(of)) > maxSocketPath {
		return engine.Invalid("name", "%s is too long a name for an instance that guests reach", d.Instance)
	}
	return nil
}

// WriteDoors remembers the doors of a sandbox.
func WriteDoors(s Sandbox, all []Door) error { return write(s.DoorsFile(), all, true) }

// ReadDoors tells them; an absent list is empty.
func ReadDoors(s Sandbox) (all []Door, err error) {
	err = read(s.DoorsFile(), &all)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return all, err
}
