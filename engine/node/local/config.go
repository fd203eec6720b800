package local

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// SuperviseCommand is the hidden subcommand that a binary hands to Supervise.
const SuperviseCommand = "supervise"

// DefaultAddress is where published ports listen when nothing else is said.
const DefaultAddress = "127.0.0.1"

// Config says where a local node lives and for which engine.
type Config struct {
	Root     string // directory of all that runs; it is created
	Address  string // where published ports listen; "" = DefaultAddress
	EngineID string // only this engine's instances are seen
	// Executable starts a supervisor: a binary that hands its next argument, a
	// directory, to Supervise. nil = this binary with SuperviseCommand.
	Executable []string
	Platform   string // of the images; "" = this machine's, such as linux/amd64
}

func (c Config) withDefaults() (Config, error) {
	if c.Root == "" {
		return c, engine.Invalid("root", "a local node needs a directory")
	}
	root, err := filepath.Abs(c.Root)
	if err != nil {
		return c, err
	}
	c.Root = root
	if c.Address == "" {
		c.Address = DefaultAddress
	}
	if c.Platform == "" {
		c.Platform = "linux/" + runtime.GOARCH
	}
	if len(c.Executable) == 0 {
		self, err := os.Executable()
		if err != nil {
			return c, err
		}
		c.Executable = []string{self, SuperviseCommand}
	}
	return c, nil
}
