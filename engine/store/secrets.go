package store

import (
	"context"
	"slices"

	"maps"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

type namedSecret struct {
	name string
	Secret
}

func scanSecret(s scanner) (n namedSecret, err error) {
	return n, s.Scan(&n.name, &n.Cipher, &n.Hash)
}

// ReplaceSecrets makes these the object's only secrets, by name. They are
// deleted with their owner.
func (s Queries) ReplaceSecrets(ctx context.Context, kind engine.Kind, id string, secrets map[string]Secret) error {
	return s.run.write(ctx, func(q querier) error {
		if err := tables[kind].parent(ctx, q, "id", id); err != nil {
			return err
		}
		if err := deleteSecrets(ctx, q, kind, id); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(secrets)) {
			_, err := exec(ctx, q, "INSERT INTO secrets (owner_kind, owner_id, name, cipher, hash) VALUES (?, ?, ?, ?, ?)",
				string(kind), id, name, secrets[name].Cipher, secrets[name].Hash)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Secrets reads the object's secrets by name; none is an empty map.
func (s Queries) Secrets(ctx context.Context, kind engine.Kind, id string) (map[string]Secret, error) {
	list, err := all(ctx, s.run.read(), scanSecret,
		"SELECT name, cipher, hash FROM secrets WHERE owner_kind = ? AND owner_id = ?", string(kind), id)
	secrets := make(map[string]Secret, len(list))
	for _, n := range list {
		secrets[n.name] = n.Secret
	}
	return secrets, err
}

// SecretNames reads the names of the object's secrets, sorted.
func (s Queries) SecretNames(ctx context.Context, kind engine.Kind, id string) ([]string, error) {
	return all(ctx, s.run.read(), scanString,
		"SELECT name FROM secrets WHERE owner_kind = ? AND owner_id = ? ORDER BY name", string(kind), id)
}

func deleteSecrets(ctx context.Context, q querier, kind engine.Kind, id string) error {
	_, err := exec(ctx, q, "DELETE FROM secrets WHERE owner_kind = ? AND owner_id = ?", string(kind), id)
	return err
}

// secretNamesByOwner reads the names of the secrets of every object of a kind, sorted.
func secretNamesByOwner(ctx context.Context, q querier, kind engine.Kind) (map[string][]string, error) {
	type owned struct{ owner, name string }
	list, err := all(ctx, q, func(s scanner) (o owned, err error) { return o, s.Scan(&o.owner, &o.name) },
		"SELECT owner_id, name FROM secrets WHERE owner_kind = ? ORDER BY owner_id, name", string(kind))
	names := map[string][]string{}
	for _, o := range list {
		names[o.owner] = append(names[o.owner], o.name)
	}
	return names, err
}
