package engine

// Component is one unit of a version that runs on its own: an image and how it
// runs. Durations, sizes and modes stay the strings the user wrote (Go
// durations, Kubernetes quantities, octal modes) and are read with
// ParseDuration, ParseSize and ParseMode; catalog.Canonical gives the one form
// that is hashed, with every default filled in.
//
// The zero value of an optional field means "not set".
type Component struct {
	Image           string                 `json:"image"`
	Command         []string               `json:"command,omitempty"` // replaces the image's entrypoint
	Args            []string               `json:"args,omitempty"`    // replaces the image's command
	Env             map[string]string      `json:"env,omitempty"`
	Secrets         []string               `json:"secrets,omitempty"`      // names, given as env
	SecretFiles     map[string]string      `json:"secret_files,omitempty"` // path -> secret name
	Files           map[string]File        `json:"files,omitempty"`        // by absolute path
	Ports           map[string]Port        `json:"ports,omitempty"`
	Routes          map[string]Route       `json:"routes,omitempty"` // through the node's ingress
	Volumes         map[string]Volume      `json:"volumes,omitempty"`
	Tmpfs           map[string]Tmpfs       `json:"tmpfs,omitempty"`      // by absolute path
	HostPaths       map[string]HostPath    `json:"host_paths,omitempty"` // by absolute path in the instance
	DependsOn       []string               `json:"depends_on,omitempty"`
	Replicas        *int                   `json:"replicas,omitempty"` // nil = 1, 0 = suspended
	Resources       *Resources             `json:"resources,omitempty"`
	User            string                 `json:"user,omitempty"` // uid, name, or either with :group
	WorkingDir      string                 `json:"working_dir,omitempty"`
	Hostname        string                 `json:"hostname,omitempty"`
	StopSignal      string                 `json:"stop_signal,omitempty"`       // "" = the image's, else SIGTERM
	StopGracePeriod string                 `json:"stop_grace_period,omitempty"` // "" = 10s
	Restart         string                 `json:"restart,omitempty"`           // always (default), on_failure, never
	HealthChecks    map[string]HealthCheck `json:"health_checks,omitempty"`
	Security        *Security              `json:"security,omitempty"`
	Logging         *Logging               `json:"logging,omitempty"`
	Labels          map[string]string      `json:"labels,omitempty"`
	ExtraHosts      map[string]string      `json:"extra_hosts,omitempty"` // name -> address
	Init            bool                   `json:"init,omitempty"`        // a tiny init as PID 1 that reaps
	ShmSize         string                 `json:"shm_size,omitempty"`    // "" = 64Mi
	Ulimits         map[string]Ulimit      `json:"ulimits,omitempty"`     // nofile, nproc, core, …
	DNS             *DNS                   `json:"dns,omitempty"`         // nil = the node's
	Networks        []string               `json:"networks,omitempty"`    // existing ones of the node, besides the deployment's own
	Sysctls         map[string]string      `json:"sysctls,omitempty"`     // net.core.somaxconn, …
	Devices         map[string]Device      `json:"devices,omitempty"`     // by absolute path in the instance
	GPUs            string                 `json:"gpus,omitempty"`        // AllGPUs, or how many
}

// AllGPUs gives an instance every GPU of its node.
const AllGPUs = "all"

// File is content written into an instance before it starts. Exactly one of
// Content and ContentBase64 is set.
type File struct {
	Content       string `json:"content,omitempty"`
	ContentBase64 string `json:"content_base64,omitempty"`
	Mode          string `json:"mode,omitempty"` // octal, "" = 0644
}

// Port is a port that a component listens on.
type Port struct {
	ContainerPort int    `json:"container_port"`
	HostPort      *int   `json:"host_port,omitempty"`    // nil: not published; 0: one is chosen and kept
	Protocol      string `json:"protocol,omitempty"`     // tcp (default), udp
	HostAddress   string `json:"host_address,omitempty"` // "" = the node's address
	// ProxyProtocol has every connection that comes through the published port
	// begin with a PROXY header, version 2, that tells the visitor's address.
	ProxyProtocol bool `json:"proxy_protocol,omitempty"`
}

// Published reports whether the port is reachable on the node.
func (p Port) Published() bool { return p.HostPort != nil }

// Volume is named storage that outlives instances.
type Volume struct {
	Path         string `json:"path"`
	ReadOnly     bool   `json:"read_only,omitempty"`
	Size         string `json:"size,omitempty"`
	OnDestroy    string `json:"on_destroy,omitempty"`    // retain (default), delete
	Snapshot     string `json:"snapshot,omitempty"`      // on_upgrade, "" = none
	SingleWriter *bool  `json:"single_writer,omitempty"` // nil = true

	PreSnapshot *PreSnapshot `json:"pre_snapshot,omitempty"` // nil = nothing

	Driver        string            `json:"driver,omitempty"`         // who keeps it, "" = DefaultVolumeDriver
	DriverOptions map[string]string `json:"driver_options,omitempty"` // what the driver is told when it is made
}

// PreSnapshot quiets what works on a volume before a snapshot of it is taken: a command
// run in every running instance of the component, before anything stops.
type PreSnapshot struct {
	Command []string `json:"command"`
	Timeout string   `json:"timeout,omitempty"` // "" = 1m
}

// DefaultVolumeDriver keeps volumes on the node's own disk.
const DefaultVolumeDriver = "local"

// Tmpfs is a memory file system.
type Tmpfs struct {
	Size string `json:"size,omitempty"`
}

// HostPath is a directory of the node seen inside the instance.
type HostPath struct {
	Source   string `json:"source"`
	ReadOnly bool   `json:"read_only,omitempty"`
}

// Device is a device of the node given to the instance.
type Device struct {
	Source      string `json:"source"`
	Permissions string `json:"permissions,omitempty"` // of r, w and m (mknod), "" = rwm
}

// DNS says whom an instance asks for the names that its deployment does not have.
type DNS struct {
	Servers []string `json:"servers,omitempty"` // IP addresses
	Search  []string `json:"search,omitempty"`  // domains that short names are looked for in
	Options []string `json:"options,omitempty"` // resolv.conf(5), such as ndots:2
}

// Resources limit one instance.
type Resources struct {
	CPU    *float64 `json:"cpu,omitempty"`    // cores
	Memory string   `json:"memory,omitempty"` // quantity
	Pids   *int     `json:"pids,omitempty"`
}

// Security of one instance.
type Security struct {
	ReadOnlyRoot     bool     `json:"read_only_root,omitempty"`
	CapabilitiesAdd  []string `json:"capabilities_add,omitempty"`  // without CAP_
	CapabilitiesDrop []string `json:"capabilities_drop,omitempty"` // without CAP_, or ALL
	NoNewPrivileges  *bool    `json:"no_new_privileges,omitempty"` // nil = true
	Privileged       bool     `json:"privileged,omitempty"`
}

// Logging keeps an instance's output.
type Logging struct {
	MaxSize  string `json:"max_size,omitempty"`  // "" = 10Mi, of drivers that rotate files
	MaxFiles *int   `json:"max_files,omitempty"` // nil = 3, of drivers that rotate files

	Driver        string            `json:"driver,omitempty"` // who takes it, "" = DefaultLogDriver
	DriverOptions map[string]string `json:"driver_options,omitempty"`
}

// Log drivers that write files on the node and rotate them.
const (
	DefaultLogDriver = "json-file"
	LogDriverLocal   = "local"
)

// Rotates reports whether max_size and max_files mean anything to the driver.
func (l Logging) Rotates() bool {
	return l.Driver == "" || l.Driver == DefaultLogDriver || l.Driver == LogDriverLocal
}

// Ulimit is a resource limit of the processes in an instance.
type Ulimit struct {
	Soft int64 `json:"soft"`
	Hard int64 `json:"hard"`
}

// HealthCheck proves that a component works: exactly one of HTTP, TCP and Exec.
type HealthCheck struct {
	HTTP *HTTPCheck `json:"http,omitempty"`
	TCP  *TCPCheck  `json:"tcp,omitempty"`
	Exec *ExecCheck `json:"exec,omitempty"`

	Interval    string `json:"interval,omitempty"`     // "" = 10s
	Timeout     string `json:"timeout,omitempty"`      // "" = 5s
	Window      int    `json:"window,omitempty"`       // 0 = 3 results
	Threshold   int    `json:"threshold,omitempty"`    // 0 = 3 failures, <= window
	StartPeriod string `json:"start_period,omitempty"` // "" = 0s
	OnDeploy    *bool  `json:"on_deploy,omitempty"`    // nil = true: gates a rollout
	OnAnomaly   string `json:"on_anomaly,omitempty"`   // heal (default), alert, none
}

// HTTPCheck passes when an answer has a wanted status and body.
type HTTPCheck struct {
	Port     int    `json:"port,omitempty"`      // container port, or
	PortName string `json:"port_name,omitempty"` // a name in ports
	Path     string `json:"path,omitempty"`      // "" = /
	Host     string `json:"host,omitempty"`      // Host header, "" = localhost
	Scheme   string `json:"scheme,omitempty"`    // "" = http; https is not verified
	Status   []int  `json:"status,omitempty"`    // empty = 200 to 399
	Body     string `json:"body,omitempty"`      // must be contained
}

// TCPCheck passes when the port accepts a connection.
type TCPCheck struct {
	Port     int    `json:"port,omitempty"`
	PortName string `json:"port_name,omitempty"`
}

// ExecCheck passes when the command ends with 0 inside the instance.
type ExecCheck struct {
	Command []string `json:"command"`
}

// Variables are environment variables of a layer over others: nil takes away
// what a weaker layer sets, "" is a value.
type Variables map[string]*string

// SetVariables are those values.
func SetVariables(values map[string]string) Variables {
	all := make(Variables, len(values))
	for name, value := range values {
		all[name] = &value
	}
	return all
}

// ComponentOverride is what a deployment changes of one component.
type ComponentOverride struct {
	Replicas  *int       `json:"replicas,omitempty"`
	Resources *Resources `json:"resources,omitempty"`
	Env       Variables  `json:"env,omitempty"`
}
