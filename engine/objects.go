package engine

import "time"

// Team owns everything else; the boundary of access.
type Team struct {
	ID          string // acme
	Name        string
	Description string
}

// NodeKind says which runtime a node has.
type NodeKind string

// The kinds of nodes.
const (
	NodeLocal  NodeKind = "local"
	NodeDocker NodeKind = "docker"
)

// Node is where instances run.
type Node struct {
	ID           string // acme/here
	TeamID       string
	Name         string
	Description  string
	Labels       map[string]string
	Allocation   string // open, closed, drain
	Kind         NodeKind
	Local        *LocalNode
	Docker       *DockerNode
	Ingress      *NodeIngress // nil = it serves no routes
	KeepVersions int          // images of that many versions of each deployment stay on the node, those of what serves always
}

// Allocations of a node.
const (
	AllocationOpen   = "open"   // takes new deployments
	AllocationClosed = "closed" // takes no new deployments, keeps and updates those it has
	AllocationDrain  = "drain"  // takes neither new deployments nor updates
)

// LocalNode is this machine, without Docker.
type LocalNode struct {
	Root    string // directory of everything that runs; "" = under the engine's data directory
	Address string // where published ports listen
}

// DockerNode is a Docker Engine. Without host and context it is that of
// DOCKER_HOST, else the one of this machine.
type DockerNode struct {
	Host             string     `json:"host,omitempty"`    // unix://, tcp:// or ssh://
	Context          string     `json:"context,omitempty"` // name of a Docker context, instead of a host
	Address          string     `json:"address,omitempty"` // where published ports listen; "" = 127.0.0.1 on this machine, else everywhere
	TLS              *DockerTLS `json:"tls,omitempty"`
	SSH              *DockerSSH `json:"ssh,omitempty"`
	AllowedHostPaths []string   `json:"allowed_host_paths,omitempty"` // directories that host_paths may lead into
	AllowedDevices   []string   `json:"allowed_devices,omitempty"`    // devices, or directories of them, that may be given
	AllowPrivileged  bool       `json:"allow_privileged,omitempty"`   // components may have rights with which they own the node

	// Keys go in and never come out; nil keeps the stored ones.
	Keys *DockerKeys `json:"-"`
}

// DockerTLS proves both sides of a tcp host, as PEM.
type DockerTLS struct {
	CACertificate string `json:"ca_certificate,omitempty"`
	Certificate   string `json:"certificate,omitempty"`
}

// DockerSSH is how to log in at an ssh host.
type DockerSSH struct {
	PrivateKeyPath string `json:"private_key_path,omitempty"`
	KnownHosts     string `json:"known_hosts,omitempty"` // lines, "" = ~/.ssh/known_hosts
	UseAgent       bool   `json:"use_agent,omitempty"`
}

// DockerKeys are the private keys of a Docker node, as PEM.
type DockerKeys struct {
	TLS, SSH string
}

// NodeStatus is what a node says of itself at this moment.
type NodeStatus struct {
	Drift          []string // how its ingress differs from what it declares
	State          string   // ready, unreachable, foreign
	Message        string   // why it is not ready
	Platform       string   // linux/amd64
	RuntimeVersion string
	Address        string
}

// The states of a node.
const (
	NodeReady       = "ready"
	NodeUnreachable = "unreachable"
	NodeForeign     = "foreign"
)

// Registry is an OCI registry and its credentials. The password goes in and
// never comes out.
type Registry struct {
	ID            string // acme/main
	TeamID        string
	Name          string
	URL           string // host[:port][/prefix]; http:// in front for plain HTTP
	Username      string
	CACertificate string // PEM, "" = the system's

	// PasswordVersion is the caller's own count of the passwords it gave, so
	// that an import finds it; the engine makes nothing of it.
	PasswordVersion *int64
}

// Product is an application.
type Product struct {
	ID          string // acme/shop
	TeamID      string
	Name        string
	Type        string // simple, complex
	Description string
	Labels      map[string]string
	Components  map[string]Component // of a simple product: its one rolling version
	Images      map[string]string    // of a simple product: planned pins, see Version.Images
	Ref         string               // of a simple product, computed
}

// Types of products.
const (
	ProductSimple  = "simple"
	ProductComplex = "complex"
)

// RollingVersionName is the name of a simple product's only version.
const RollingVersionName = "rolling"

// Version is what is to run.
type Version struct {
	ID         string // acme/shop/1.4.0
	ProductID  string
	Name       string
	Type       string // incremental, rolling
	ParentID   string // "" = the newest when created; stays "" for the first and for rolling versions
	Changelog  string
	Status     string // active, preferred, deprecated
	Components map[string]Component

	// Images are the pinned images by component, "registry/name:tag@sha256:…".
	// Given to CreateVersion or UpdateVersion they are what the plan promised;
	// a missing one is resolved then.
	Images map[string]string

	// Computed by the engine.
	Number int    // place in the product's chain, from 1; 0 for rolling versions
	Digest string // sha256:… of the canonical components
	Ref    string // ID@Digest
	Sealed bool
}

// Types and statuses of versions.
const (
	VersionIncremental = "incremental"
	VersionRolling     = "rolling"

	VersionActive     = "active"
	VersionPreferred  = "preferred"
	VersionDeprecated = "deprecated"
)

// Environment is a place on a node for deployments.
type Environment struct {
	ID                 string // acme/production
	TeamID             string
	Name               string
	NodeID             string
	Type               string // development, preview, staging, production
	Description        string
	Variables          Variables
	SecretNames        []string // computed, sorted
	SecretsVersion     *int64   // the caller's own count, see Registry.PasswordVersion
	PromotesFromID     string
	MinSoak            string
	DeletionProtection bool
}

// Types of environments.
const (
	EnvironmentDevelopment = "development"
	EnvironmentPreview     = "preview"
	EnvironmentStaging     = "staging"
	EnvironmentProduction  = "production"
)

// Image is what a registry says of a reference.
type Image struct {
	Reference string // normalised, with tag or digest
	Digest    string // sha256:…, of the index when there is one
	Platforms []string
	Labels    map[string]string
	Created   time.Time
}
