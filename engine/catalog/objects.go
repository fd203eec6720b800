package catalog

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// ValidateTeam checks a team by itself.
func ValidateTeam(t engine.Team) error {
	var p problems
	p.add(engine.CheckName("name", t.Name))
	p.add(checkID(t.ID, t.Name))
	return p.err()
}

// ValidateNode checks a node by itself.
func ValidateNode(n engine.Node) error {
	var p problems
	p.add(validateOwned(n.ID, n.TeamID, n.Name))
	p.oneOf("allocation", n.Allocation, engine.AllocationOpen, engine.AllocationClosed, engine.AllocationDrain)
	if n.Kind != engine.NodeLocal && n.Kind != engine.NodeDocker {
		p.invalid("", "exactly one kind of node is needed, such as local = {}")
	}
	if n.Local != nil {
		p.add(checkAddress("local.address", n.Local.Address))
	}
	if n.Docker != nil {
		p.at("docker", ValidateDocker(*n.Docker))
	}
	if n.Ingress != nil {
		p.at("ingress", ValidateIngress(*n.Ingress))
		p.add(ingressInReach(n))
	}
	if n.KeepVersions < 0 {
		p.invalid("image_retention.keep_versions", "%d versions cannot be kept: use 0 or more", n.KeepVersions)
	}
	return p.err()
}

// ingressInReach refuses an ingress that the engine could not speak to: a Docker
// Engine reached by TCP leads to published ports only.
func ingressInReach(n engine.Node) error {
	if n.Docker == nil || !strings.HasPrefix(n.Docker.Host, "tcp://") {
		return nil
	}
	return engine.Invalid("ingress", "the engine reaches no ingress on a Docker Engine that it reaches by tcp://: use ssh://user@host, or leave ingress out and publish ports")
}

// checkAddress wants an IP address; "" is not judged.
func checkAddress(field, s string) error {
	if s == "" {
		return nil
	}
	if _, err := netip.ParseAddr(s); err != nil {
		return engine.Invalid(field, "%q is not an IP address", s)
	}
	return nil
}

// ValidateRegistry checks a registry by itself.
func ValidateRegistry(r engine.Registry) error {
	var p problems
	p.add(validateOwned(r.ID, r.TeamID, r.Name))
	p.add(checkRegistryURL("url", r.URL))
	p.add(checkPEM("ca_certificate", r.CACertificate))
	return p.err()
}

// checkRegistryURL wants host[:port][/prefix], perhaps with http:// or https:// in front.
func checkRegistryURL(field, s string) error {
	bare := s
	for _, scheme := range []string{"http://", "https://"} {
		bare = strings.TrimPrefix(bare, scheme)
	}
	u, err := url.Parse("https://" + bare)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		strings.Contains(bare, "://") || strings.ContainsAny(bare, " \t\n") || strings.HasSuffix(u.Host, ":") {
		return &engine.Error{
			Class: engine.ErrInvalid, Field: field,
			Reason: "this is not a registry: it must read host[:port][/prefix]",
			Hint:   "Write registry.example.com or registry.example.com:5000/team, with http:// in front for plain HTTP; credentials go into username and password_wo",
		}
	}
	return nil
}

// ValidateProduct checks a product by itself, with the components of a simple one.
func ValidateProduct(pr engine.Product) error {
	var p problems
	p.add(validateOwned(pr.ID, pr.TeamID, pr.Name))
	p.oneOf("type", pr.Type, engine.ProductSimple, engine.ProductComplex)
	switch {
	case pr.Type == engine.ProductSimple:
		p.add(ValidateComponents(pr.Components))
	case len(pr.Components) > 0:
		p.invalid("components", "only a simple product has components of its own: put them into a slipway_version, or set type = \"simple\"")
	}
	return p.err()
}

// AllowProductChange refuses what a product cannot become: a simple one may
// become complex, never the other way round.
func AllowProductChange(stored, wanted engine.Product) error {
	if wanted.Type != engine.ProductSimple {
		return nil
	}
	return Allow(Case{Verb: Simplify, Product: stored.Type, Subject: "a complex product"})
}

// ValidateEnvironment checks an environment by itself.
func ValidateEnvironment(e engine.Environment) error {
	var p problems
	p.add(validateOwned(e.ID, e.TeamID, e.Name))
	p.oneOf("type", e.Type, engine.EnvironmentDevelopment, engine.EnvironmentPreview,
		engine.EnvironmentStaging, engine.EnvironmentProduction)
	p.add(checkSibling("node_id", "node", e.NodeID, e.TeamID))
	p.add(validateVariables("variables", e.Variables))
	if e.PromotesFromID != "" {
		p.add(checkSibling("promotes_from_id", "environment", e.PromotesFromID, e.TeamID))
		if e.PromotesFromID == engine.JoinID(e.TeamID, e.Name) {
			p.invalid("promotes_from_id", "an environment cannot promote from itself")
		}
	}
	if _, err := engine.ParseDuration("min_soak", e.MinSoak, 0); err != nil {
		p.add(err)
	} else if e.MinSoak != "" && e.PromotesFromID == "" {
		p.invalid("min_soak", "there is no environment that a version could soak in: set promotes_from_id too")
	}
	return p.err()
}

// validateOwned checks name, team and id of what belongs to a team.
func validateOwned(id, teamID, name string) error {
	var p problems
	p.add(engine.CheckName("name", name))
	p.add(engine.CheckName("team_id", teamID))
	p.add(checkID(id, teamID, name))
	return p.err()
}

// checkID refuses an id that is not made of the parts; "" is not judged.
func checkID(id string, parts ...string) error {
	if want := engine.JoinID(parts...); id != "" && id != want {
		return engine.Invalid("id", "%q does not match its parts, which make %q", id, want)
	}
	return nil
}

// checkSibling wants the id of an object of that kind in the same team.
func checkSibling(field, kind, id, teamID string) error {
	if _, err := engine.SplitID(kind, id, 2); err != nil {
		return engine.Invalid(field, "%q is not the id of a %s, such as %q", id, kind, engine.JoinID("acme", "example"))
	}
	if engine.ParentID(id) != teamID {
		return engine.Invalid(field, "the %s %q belongs to another team than %q", kind, id, teamID)
	}
	return nil
}
