package catalog

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// MaxReplicas is the most instances that a component may have.
const MaxReplicas = 1000

// Restart policies of a component.
const (
	RestartAlways    = "always"     // started again whenever it ends
	RestartOnFailure = "on_failure" // started again unless it ends with 0
	RestartNever     = "never"      // a job: it ends, and ending with 0 is success
)

// ValidateComponents checks the components of a version against every rule that
// needs nothing but them. Errors are joined *engine.Error of class
// engine.ErrInvalid, each with a field such as
// components.api.ports.http.host_port, in the order of the names.
func ValidateComponents(cs map[string]engine.Component) error {
	var p problems
	if len(cs) == 0 {
		p.invalid("components", "at least one component is needed")
	}
	for name, c := range sorted(cs) {
		field := "components." + name
		p.add(engine.CheckName(field, name))
		p.at(field, validateComponent(c))
	}
	p.at("components", validateDependencies(cs))
	p.at("components", validateHostPorts(cs))
	p.at("components", validateClaims(cs))
	p.at("components", validateCertificates(cs))
	return p.err()
}

func validateComponent(c engine.Component) error {
	var p problems
	p.add(validateImage(c.Image))
	p.add(validateProcess(c))
	p.add(validateEnv("env", c.Env))
	p.add(validateSecrets(c))
	p.add(validatePorts(c.Ports))
	p.add(validateRoutes(c.Routes))
	p.add(validateMounts(c))
	p.add(validateReplicas(c))
	p.at("resources", validateResources(c.Resources))
	p.add(validateChecks(c))
	p.at("security", validateSecurity(c.Security))
	p.at("logging", validateLogging(c.Logging))
	p.add(validateLabels(c.Labels))
	p.add(validateExtraHosts(c.ExtraHosts))
	p.add(validateUlimits(c.Ulimits))
	p.at("dns", validateDNS(c.DNS))
	p.add(validateNetworks(c.Networks))
	p.add(validateSysctls(c.Sysctls))
	p.add(validateGPUs(c.GPUs))
	return p.err()
}

func validateImage(image string) error {
	if image == "" {
		return engine.Invalid("image", "an image is needed")
	}
	return engine.At("image", CheckImage(image))
}

// CheckImage wants an image reference.
func CheckImage(image string) error {
	if _, err := name.ParseReference(image); err != nil {
		return &engine.Error{
			Class:  engine.ErrInvalid,
			Reason: strconv.Quote(image) + " is not an image reference",
			Hint:   "Write registry/name:tag or registry/name@sha256:…",
			Err:    err,
		}
	}
	return nil
}

// Moves reports whether the reference names no version: without a digest, and
// with the tag latest or none. What it is today is what a version pins.
func Moves(image string) bool {
	last := image[strings.LastIndexByte(image, '/')+1:]
	_, tag, tagged := strings.Cut(last, ":")
	return image != "" && !strings.Contains(last, "@") && (!tagged || tag == "latest")
}

// userPattern is a user or group name as useradd takes it, or an id.
var (
	userPattern     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?(:[A-Za-z0-9_][A-Za-z0-9_.-]*\$?)?$`)
	hostnamePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

func validateProcess(c engine.Component) error {
	var p problems
	p.add(validateWords("command", c.Command, true))
	p.add(validateWords("args", c.Args, false))
	if c.User != "" && !userPattern.MatchString(c.User) {
		p.invalid("user", "%q is not a user: use a name or id, or either with :group", c.User)
	}
	if c.WorkingDir != "" && c.WorkingDir != "/" {
		p.add(checkPath("working_dir", c.WorkingDir))
		p.add(checkNotKernel("working_dir", c.WorkingDir))
	}
	if c.Hostname != "" && !hostnamePattern.MatchString(c.Hostname) {
		p.invalid("hostname", "%q is not a host name: use letters, digits and inner hyphens, at most 63", c.Hostname)
	}
	if _, known := canonicalSignal(c.StopSignal); !known {
		p.invalid("stop_signal", "%q is not a signal: use a name such as SIGTERM, or a number from 1 to 64", c.StopSignal)
	}
	_, err := engine.ParseDuration("stop_grace_period", c.StopGracePeriod, 0)
	p.add(err)
	p.oneOf("restart", c.Restart, RestartAlways, RestartOnFailure, RestartNever)
	_, err = engine.ParseSize("shm_size", c.ShmSize, 0)
	p.add(err)
	return p.err()
}

// validateWords checks a command line; its first word is what is executed.
func validateWords(field string, words []string, executed bool) error {
	var p problems
	for i, w := range words {
		at := field + "." + strconv.Itoa(i)
		if strings.ContainsRune(w, 0) {
			p.invalid(at, "a NUL character cannot be passed to a process")
		}
		if executed && i == 0 && w == "" {
			p.invalid(at, "the command to run must not be empty")
		}
	}
	return p.err()
}

func validateReplicas(c engine.Component) error {
	if c.Replicas == nil {
		return nil
	}
	if err := checkReplicas("replicas", *c.Replicas); err != nil {
		return err
	}
	return checkSingleWriter("replicas", *c.Replicas, c.Volumes)
}

func checkReplicas(field string, n int) error {
	if n < 0 || n > MaxReplicas {
		return engine.Invalid(field, "%d is not a number of replicas: use 0 to %d", n, MaxReplicas)
	}
	return nil
}

// checkSingleWriter refuses several instances that would write to a volume which
// takes one writer.
func checkSingleWriter(field string, replicas int, volumes map[string]engine.Volume) error {
	if replicas < 2 {
		return nil
	}
	for name, v := range sorted(volumes) {
		if SingleWriter(v) {
			return &engine.Error{
				Class: engine.ErrInvalid, Field: field,
				Reason: strconv.Itoa(replicas) + " replicas cannot share the volume " + strconv.Quote(name) + ", which takes a single writer",
				Hint:   "Use one replica, or set single_writer = false or read_only = true on the volume if the program can share it",
			}
		}
	}
	return nil
}

// SingleWriter reports whether two instances must not run with the volume at
// the same time. Volumes that are not read only are so unless they say otherwise.
func SingleWriter(v engine.Volume) bool {
	return !v.ReadOnly && (v.SingleWriter == nil || *v.SingleWriter)
}

func validateResources(r *engine.Resources) error {
	if r == nil {
		return nil
	}
	var p problems
	if r.CPU != nil && (*r.CPU <= 0 || math.IsInf(*r.CPU, 0) || math.IsNaN(*r.CPU)) {
		p.invalid("cpu", "%v is not a number of cores above zero", *r.CPU)
	}
	_, err := engine.ParseSize("memory", r.Memory, 0)
	p.add(err)
	if r.Pids != nil && *r.Pids <= 0 {
		p.invalid("pids", "%d is not a number of processes above zero", *r.Pids)
	}
	return p.err()
}
