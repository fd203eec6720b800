package provider

import (
	"context"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// engines holds the engines that this process has open, one for each
// configuration: two handles of one data directory would only wait for each
// other. They are closed when the process ends.
type engines struct {
	open OpenFunc

	mu   sync.Mutex
	made map[Config]engine.Service
}

func (e *engines) get(ctx context.Context, cfg Config) (engine.Service, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if service, ok := e.made[cfg]; ok {
		return service, nil
	}
	// The engine outlives the call that opens it.
	service, err := e.open(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return nil, err
	}
	if e.made == nil {
		e.made = map[Config]engine.Service{}
	}
	e.made[cfg] = service
	return service, nil
}
