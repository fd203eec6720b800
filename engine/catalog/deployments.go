package catalog

import (
	"regexp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// ValidateDeployment checks a deployment by itself; ValidateOverrides does the
// rest once the version's components are known. An empty prefix is the
// product's name, filled in by the caller, and is not judged here.
func ValidateDeployment(d engine.Deployment) error {
	var p problems
	_, err := engine.SplitID("environment", d.EnvironmentID, 2)
	if err != nil {
		p.invalid("environment_id", "%q is not the id of an environment, such as \"acme/production\"", d.EnvironmentID)
	}
	if d.Prefix != "" {
		p.add(engine.CheckName("prefix", d.Prefix))
		p.add(checkID(d.ID, d.EnvironmentID, d.Prefix))
		if engine.ReservedPrefix(d.Prefix) {
			p.invalid("prefix", "%q is the name of what the engine itself runs: choose another", d.Prefix)
		}
	}
	p.add(validateVersionRef(d))
	p.oneOf("desired_state", d.DesiredState, engine.StateRunning, engine.StateStopped)
	p.add(validateVariables("variables", d.Variables))
	for name, o := range sorted(d.Components) {
		p.at("components."+name, validateOverride(o))
	}
	p.at("strategy", validateStrategy(d.Strategy))
	if d.KeepSnapshots < 0 {
		p.invalid("keep_snapshots", "at least one snapshot is kept")
	}
	return p.err()
}

func validateVersionRef(d engine.Deployment) error {
	id, digest, err := engine.SplitRef(d.Version)
	if err != nil {
		return err
	}
	if digest != "" && !digestPattern.MatchString(digest) {
		return engine.Invalid("version", "%q does not end with a digest: use a slipway_version's ref, or team/product/name", d.Version)
	}
	if team := engine.ParentID(engine.ParentID(id)); engine.ParentID(d.EnvironmentID) != team && engine.ParentID(d.EnvironmentID) != "" {
		return engine.Invalid("version", "the version belongs to team %q, the environment to %q", team, engine.ParentID(d.EnvironmentID))
	}
	return nil
}

func validateOverride(o engine.ComponentOverride) error {
	var p problems
	if o.Replicas != nil {
		p.add(checkReplicas("replicas", *o.Replicas))
	}
	p.at("resources", validateResources(o.Resources))
	p.add(validateVariables("env", o.Env))
	return p.err()
}

// ValidateOverrides checks the parts of d that need the components of its
// version: overrides name components, and prefix and component together fit a
// DNS label. Fields are those of the deployment.
func ValidateOverrides(d engine.Deployment, cs map[string]engine.Component) error {
	var p problems
	for name := range sorted(cs) {
		p.add(engine.CheckInstanceName("prefix", d.Prefix, name))
	}
	for name, o := range sorted(d.Components) {
		field := "components." + name
		c, known := cs[name]
		if !known {
			p.invalid(field, "the version has no component %q", name)
			continue
		}
		p.at(field, validateOverride(o))
		if o.Replicas != nil {
			p.add(checkSingleWriter(field+".replicas", *o.Replicas, c.Volumes))
		}
	}
	return p.err()
}

// CheckAllocation refuses a deployment on a node that does not take it: a
// closed node takes no new ones, a draining one no updates either.
func CheckAllocation(n engine.Node, isNew bool) error {
	switch {
	case n.Allocation == engine.AllocationDrain:
		return engine.Conflict("the node "+n.ID+" is draining: it takes neither new deployments nor updates",
			"Set allocation = \"open\" on the node, or move the environment to another node")
	case n.Allocation == engine.AllocationClosed && isNew:
		return engine.Conflict("the node "+n.ID+" is closed: it takes no new deployments",
			"Set allocation = \"open\" on the node, or use an environment on another node")
	}
	return nil
}
