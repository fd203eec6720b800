package engine

// Planned is what one Terraform run plans, by id: as it will be after the run, and
// perhaps not stored yet. The caller keeps it and gives it with every plan: an
// engine may serve several runs at once, and none of them knows the others' plans.
type Planned struct {
	Nodes        map[string]Node
	Registries   map[string]PlannedRegistry
	Products     map[string]Product
	Versions     map[string]Version // with Digest and Images
	Environments map[string]PlannedEnvironment
	Deployments  map[string]Deployment
	// Leaving are the deployments that this run removes or replaces: what they
	// hold is free for others.
	Leaving map[string]bool
}

// PlannedRegistry is a registry with its credentials.
type PlannedRegistry struct {
	Registry

	Password *string `json:"-"` // nil = the stored one
}

// PlannedEnvironment is an environment as it will be.
type PlannedEnvironment struct {
	Environment

	SecretsChanged bool // new secret values come with it
}
