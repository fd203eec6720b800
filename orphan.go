package main

import (
	"context"
	"os"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// operations are the calls that change what runs. A process that nobody listens
// to any more ends, but not in the middle of one: the call is cancelled with its
// connection, and puts back what it had begun.
type operations struct{ running sync.RWMutex }

// endWith ends this process when nobody listens to it any more. Terraform ends
// its providers, unless it is killed itself: then they would stay for ever.
func (o *operations) endWith(alone <-chan struct{}) {
	<-alone
	o.running.Lock() // waits for those that run, and lets none begin
	os.Exit(1)
}

// guarded is a Service whose operations are waited for.
type guarded struct {
	engine.Service
	*operations
}

// CreateDeployment implements engine.Service.
func (g guarded) CreateDeployment(ctx context.Context, d engine.Deployment, secrets map[string]string) (engine.Deployment, error) {
	g.running.RLock()
	defer g.running.RUnlock()
	return g.Service.CreateDeployment(ctx, d, secrets)
}

// UpdateDeployment implements engine.Service.
func (g guarded) UpdateDeployment(ctx context.Context, d engine.Deployment, secrets map[string]string) (engine.Deployment, error) {
	g.running.RLock()
	defer g.running.RUnlock()
	return g.Service.UpdateDeployment(ctx, d, secrets)
}

// DeleteDeployment implements engine.Service.
func (g guarded) DeleteDeployment(ctx context.Context, id string) error {
	g.running.RLock()
	defer g.running.RUnlock()
	return g.Service.DeleteDeployment(ctx, id)
}
