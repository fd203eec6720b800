package core

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// passwordSecret is the name that a registry's password is sealed under.
const passwordSecret = "password"

// CreateRegistry implements engine.Service.
func (e *Engine) CreateRegistry(ctx context.Context, r engine.Registry, password string) (engine.Registry, error) {
	r.ID = engine.JoinID(r.TeamID, r.Name)
	if err := e.tryRegistry(ctx, r, password); err != nil {
		return engine.Registry{}, err
	}
	return e.writeRegistry(ctx, r, &password, store.Queries.CreateRegistry)
}

// PlanRegistry implements engine.Service.
func (e *Engine) PlanRegistry(ctx context.Context, r engine.PlannedRegistry) error {
	r.ID = engine.JoinID(r.TeamID, r.Name)
	password, err := e.passwordOf(ctx, r)
	if err != nil {
		return err
	}
	return e.tryRegistry(ctx, r.Registry, password)
}

// Registry implements engine.Service.
func (e *Engine) Registry(ctx context.Context, id string) (engine.Registry, error) {
	return e.store.Registry(ctx, id)
}

// UpdateRegistry implements engine.Service. The credentials are tried again
// only when something that they depend on changes.
func (e *Engine) UpdateRegistry(ctx context.Context, r engine.Registry, password *string) (engine.Registry, error) {
	stored, err := e.store.Registry(ctx, r.ID)
	if err != nil {
		return engine.Registry{}, err
	}
	used, err := e.passwordOf(ctx, engine.PlannedRegistry{Registry: r, Password: password})
	if err != nil {
		return engine.Registry{}, err
	}
	stored.PasswordVersion = r.PasswordVersion
	if password != nil || stored != r {
		if err := e.tryRegistry(ctx, r, used); err != nil {
			return engine.Registry{}, err
		}
	}
	return e.writeRegistry(ctx, r, password, store.Queries.UpdateRegistry)
}

// DeleteRegistry implements engine.Service.
func (e *Engine) DeleteRegistry(ctx context.Context, id string) error {
	return e.store.DeleteRegistry(ctx, id)
}

func (e *Engine) tryRegistry(ctx context.Context, r engine.Registry, password string) error {
	if err := catalog.ValidateRegistry(r); err != nil {
		return err
	}
	return e.images.Check(ctx, image.Credential{
		URL: r.URL, Username: r.Username, Password: password, CACertificate: r.CACertificate,
	})
}

func (e *Engine) writeRegistry(ctx context.Context, r engine.Registry, password *string, write func(store.Queries, context.Context, engine.Registry) (engine.Registry, error)) (engine.Registry, error) {
	var sealed map[string]store.Secret
	if password != nil {
		var err error
		if sealed, err = e.seal(map[string]string{passwordSecret: *password}); err != nil {
			return engine.Registry{}, err
		}
	}
	var written engine.Registry
	err := e.store.Tx(ctx, func(tx *store.Tx) error {
		var err error
		if written, err = write(tx.Queries, ctx, r); err != nil || sealed == nil {
			return err
		}
		return tx.ReplaceSecrets(ctx, engine.KindRegistry, r.ID, sealed)
	})
	return written, err
}

// passwordOf is the password that the registry will have.
func (e *Engine) passwordOf(ctx context.Context, r engine.PlannedRegistry) (string, error) {
	if r.Password != nil {
		return *r.Password, nil
	}
	return e.registryPassword(ctx, r.ID)
}

func (e *Engine) registryPassword(ctx context.Context, id string) (string, error) {
	opened, err := e.openSecrets(ctx, engine.KindRegistry, id)
	return opened[passwordSecret], err
}
