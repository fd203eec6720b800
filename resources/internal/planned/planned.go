// Package planned remembers what this provider process has planned so far, so
// that the plan of a deployment knows the versions, the environment and the other
// deployments that are planned in the same run and not stored yet. Terraform plans what is
// referred to before what refers to it.
package planned

import (
	"maps"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Environment is an environment as it will be after this run.
type Environment struct {
	engine.Environment
	SecretsChanged bool // new secret values come with it
}

// Table holds what one configured provider has planned. The zero value is
// ready; all methods are safe for concurrent use.
type Table struct {
	mu           sync.Mutex
	versions     map[string]engine.Version
	environments map[string]Environment
	deployments  map[string]engine.Deployment
	leaving      map[string]bool
}

// PutVersion notes a version that is to be created or changed, by its id.
func (t *Table) PutVersion(v engine.Version) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.versions == nil {
		t.versions = map[string]engine.Version{}
	}
	t.versions[v.ID] = v
}

// Version answers the planned version of that id.
func (t *Table) Version(id string) (engine.Version, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.versions[id]
	return v, ok
}

// Versions answers a copy of all planned versions, by id.
func (t *Table) Versions() map[string]engine.Version {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.versions)
}

// PutEnvironment notes an environment that is to be created or changed.
func (t *Table) PutEnvironment(e Environment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.environments == nil {
		t.environments = map[string]Environment{}
	}
	t.environments[e.ID] = e
}

// Environment answers the planned environment of that id.
func (t *Table) Environment(id string) (Environment, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.environments[id]
	return e, ok
}

// PutDeployment notes a deployment as it will be after this run.
func (t *Table) PutDeployment(d engine.Deployment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.deployments == nil {
		t.deployments = map[string]engine.Deployment{}
	}
	t.deployments[d.ID] = d
}

// Deployments answers a copy of all planned deployments, by id.
func (t *Table) Deployments() map[string]engine.Deployment {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.deployments)
}

// Leave notes a deployment that is to be destroyed or replaced.
func (t *Table) Leave(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.leaving == nil {
		t.leaving = map[string]bool{}
	}
	t.leaving[id] = true
}

// Leaving answers a copy of the ids of all deployments that are to go.
func (t *Table) Leaving() map[string]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.leaving)
}
