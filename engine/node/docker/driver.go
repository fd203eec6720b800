package docker

import (
	"context"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// minAPIVersion is what Docker 20.10 speaks.
const minAPIVersion = "1.41"

// Config says which Docker Engine it is, and for whom it works.
type Config struct {
	Connection

	EngineID         string
	AllowedHostPaths []string // directories that host_paths may lead into; none = no host_paths
	AllowedDevices   []string // devices, or directories of them, that may be given; none = no devices
	AllowPrivileged  bool     // components may have rights with which they own the node
	Address          string   // where published ports listen, "" = 127.0.0.1 on this machine, else everywhere

	// After and Now replace those of package time in tests.
	After func(time.Duration) <-chan time.Time
	Now   func() time.Time
}

// Driver is a node.Driver over the Docker Engine's API.
type Driver struct {
	cfg    Config
	api    *client.Client
	reach  *reach
	images *image.Client // for registries that the Docker Engine cannot use
	shelf  shelf         // of what comes from these

	mu       sync.Mutex
	named    map[string]bool        // by container id: whether it has its component's name, as far as known
	logs     map[node.Key]tail      // last output of instances that this process removed
	pulls    map[string]*pull       // by digest, under way
	runNames map[string]string      // by pinned reference: the image as the Docker Engine knows it
	locks    map[string]*sync.Mutex // by deployment, for its network
	networks map[string]bool        // by deployment: whether it is known to be there
	refused  map[string]string      // by container id: why its start failed
	left     map[node.Key]bool      // instances that no guest sends to any more
	hosts    map[string]bool        // whether guests were let in to the deployment, as far as it was asked
	info     *node.Info

	addresses map[string]*addressBook // by deployment
	rosters   map[string]*roster      // by deployment

	starting chan struct{} // has one of each that starts
}

var _ node.Driver = (*Driver)(nil)

// New opens the driver; it connects when it is first used. A connection that
// cannot be understood is ErrInvalid.
func New(cfg Config) (*Driver, error) {
	if cfg.After == nil {
		cfg.After = time.After
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	api, r, err := connect(cfg.Connection)
	if err != nil {
		return nil, err
	}
	return &Driver{
		cfg: cfg, api: api, reach: r, images: image.NewClient(image.Options{}),
		named: map[string]bool{}, logs: map[node.Key]tail{}, pulls: map[string]*pull{}, runNames: map[string]string{},
		locks: map[string]*sync.Mutex{}, networks: map[string]bool{}, refused: map[string]string{}, left: map[node.Key]bool{}, hosts: map[string]bool{}, addresses: map[string]*addressBook{},
		rosters: map[string]*roster{}, starting: make(chan struct{}, startsAtOnce),
	}, nil
}

// Close implements node.Driver.
func (d *Driver) Close() error {
	err := d.api.Close()
	d.images.Close()
	d.reach.close()
	return err
}

// Info implements node.Driver. What a Docker Engine can do is asked once.
func (d *Driver) Info(ctx context.Context) (node.Info, error) {
	d.mu.Lock()
	known := d.info
	d.mu.Unlock()
	if known != nil {
		_, err := d.api.Ping(ctx, client.PingOptions{})
		return *known, d.failed("", err)
	}
	ping, err := d.api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil {
		return node.Info{}, d.failed("", err)
	}
	if err := checkVersion(ping.APIVersion); err != nil {
		return node.Info{}, err
	}
	answer, err := d.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return node.Info{}, d.failed("", err)
	}
	if answer.Info.OSType != "linux" {
		return node.Info{}, &engine.Error{Class: engine.ErrUnsupported, Reason: "the Docker Engine runs " + answer.Info.OSType + " containers",
			Hint: "switch it to Linux containers"}
	}
	info := node.Info{
		Place:          placeOf(answer.Info),
		Platform:       platformOf(answer.Info.OSType, answer.Info.Architecture),
		RuntimeVersion: runtimeOf(answer.Info) + " " + answer.Info.ServerVersion,
		Address:        d.reach.publicAddress(d.cfg.Address),
		LimitCPU:       answer.Info.CPUCfsQuota, LimitMemory: answer.Info.MemoryLimit, LimitPids: answer.Info.PidsLimit,
		Snapshots: runtimeOf(answer.Info) != runtimePodman, Users: true, MinPort: 1,
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.info = &info
	return info, nil
}

// platformOf spells the machine as images do.
func platformOf(os, machine string) string {
	switch machine {
	case "x86_64":
		machine = "amd64"
	case "aarch64":
		machine = "arm64"
	case "armv7l", "armv6l":
		machine = "arm"
	case "i386", "i686":
		machine = "386"
	}
	return os + "/" + machine
}
