package process

import (
	"os"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/account"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/caps"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/cgroup"
)

// Command is what runs inside an instance, and with which rights.
type Command struct {
	Args            []string // Args[0] is looked for in the image's PATH
	Env             []string // NAME=value; HOME is added when it is absent
	WorkingDir      string   // "" = /
	Capabilities    caps.Set
	NoNewPrivileges bool
	Ulimits         map[string]engine.Ulimit
	Users           bool // ids can be changed; else one more user namespace makes the only user look like any other
	Group           *cgroup.Group
	Output          *os.File // stdout and stderr
}

// Process is a started process.
type Process struct {
	*os.Process
	Account account.Account
	PIDFD   *os.File // to join its namespaces; the caller closes it
}
