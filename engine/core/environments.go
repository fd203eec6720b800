package core

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// CreateEnvironment implements engine.Service.
func (e *Engine) CreateEnvironment(ctx context.Context, env engine.Environment, secrets map[string]string) (engine.Environment, error) {
	env.ID = engine.JoinID(env.TeamID, env.Name)
	if secrets == nil {
		secrets = map[string]string{}
	}
	return e.writeEnvironment(ctx, env, secrets, store.Queries.CreateEnvironment)
}

// Environment implements engine.Service.
func (e *Engine) Environment(ctx context.Context, id string) (engine.Environment, error) {
	env, err := e.store.Environment(ctx, id)
	if err != nil {
		return engine.Environment{}, err
	}
	env.SecretNames, err = e.store.SecretNames(ctx, engine.KindEnvironment, id)
	return env, err
}

// UpdateEnvironment implements engine.Service.
func (e *Engine) UpdateEnvironment(ctx context.Context, env engine.Environment, secrets map[string]string) (engine.Environment, error) {
	return e.writeEnvironment(ctx, env, secrets, store.Queries.UpdateEnvironment)
}

// DeleteEnvironment implements engine.Service.
func (e *Engine) DeleteEnvironment(ctx context.Context, id string) error {
	if err := e.mayDeleteEnvironment(ctx, id); err != nil {
		return err
	}
	return e.store.DeleteEnvironment(ctx, id)
}

func (e *Engine) writeEnvironment(ctx context.Context, env engine.Environment, secrets map[string]string, write func(store.Queries, context.Context, engine.Environment) (engine.Environment, error)) (engine.Environment, error) {
	if err := catalog.ValidateEnvironment(env); err != nil {
		return engine.Environment{}, err
	}
	sealed, err := e.seal(secrets)
	if err != nil {
		return engine.Environment{}, err
	}
	err = e.store.Tx(ctx, func(tx *store.Tx) error {
		sources, err := sourcesIn(ctx, tx.Queries, env.TeamID)
		if err == nil {
			err = catalog.AllowSource(env, sources)
		}
		if err != nil {
			return err
		}
		if env, err = write(tx.Queries, ctx, env); err != nil {
			return err
		}
		if secrets != nil {
			if err := tx.ReplaceSecrets(ctx, engine.KindEnvironment, env.ID, sealed); err != nil {
				return err
			}
		}
		env.SecretNames, err = tx.SecretNames(ctx, engine.KindEnvironment, env.ID)
		return err
	})
	return env, err
}
