// Package planned remembers what this provider process has planned so far, so
// that a plan knows what is planned in the same run and not stored yet. Terraform
// plans what is referred to before what refers to it.
package planned

import (
	"maps"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Table holds what one configured provider has planned. The zero value is
// ready; all methods are safe for concurrent use.
type Table struct {
	mu  sync.Mutex
	all engine.Planned
}

// All answers a copy of everything that is planned.
func (t *Table) All() engine.Planned {
	t.mu.Lock()
	defer t.mu.Unlock()
	return engine.Planned{
		Nodes:        maps.Clone(t.all.Nodes),
		Registries:   maps.Clone(t.all.Registries),
		Products:     maps.Clone(t.all.Products),
		Versions:     maps.Clone(t.all.Versions),
		Environments: maps.Clone(t.all.Environments),
		Deployments:  maps.Clone(t.all.Deployments),
		Leaving:      maps.Clone(t.all.Leaving),
	}
}

// Environment answers the planned environment of that id.
func (t *Table) Environment(id string) (engine.PlannedEnvironment, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.all.Environments[id]
	return e, ok
}

// PutNode notes a node that is to be created or changed.
func (t *Table) PutNode(n engine.Node) { put(t, &t.all.Nodes, n.ID, n) }

// PutRegistry notes a registry that is to be created or changed.
func (t *Table) PutRegistry(r engine.PlannedRegistry) { put(t, &t.all.Registries, r.ID, r) }

// PutProduct notes a product that is to be created or changed.
func (t *Table) PutProduct(p engine.Product) { put(t, &t.all.Products, p.ID, p) }

// PutVersion notes a version that is to be created or changed.
func (t *Table) PutVersion(v engine.Version) { put(t, &t.all.Versions, v.ID, v) }

// PutEnvironment notes an environment that is to be created or changed.
func (t *Table) PutEnvironment(e engine.PlannedEnvironment) { put(t, &t.all.Environments, e.ID, e) }

// PutDeployment notes a deployment as it will be after this run.
func (t *Table) PutDeployment(d engine.Deployment) { put(t, &t.all.Deployments, d.ID, d) }

// Leave notes a deployment that is to be destroyed or replaced.
func (t *Table) Leave(id string) { put(t, &t.all.Leaving, id, true) }

func put[T any](t *Table, kind *map[string]T, id string, planned T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if *kind == nil {
		*kind = map[string]T{}
	}
	(*kind)[id] = planned
}
