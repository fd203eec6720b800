package core

import (
	"context"
	"crypto/rand"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// seal encrypts values by name for the store. Every set has a salt of its own,
// so that giving secrets anew always counts as a change: a plan, which does not
// know the values, said that it would be one.
func (e *Engine) seal(values map[string]string) (map[string]store.Secret, error) {
	salt := rand.Text()
	sealed := make(map[string]store.Secret, len(values))
	for name, value := range values {
		cipher, err := e.box.Seal([]byte(value))
		if err != nil {
			return nil, err
		}
		sealed[name] = store.Secret{Cipher: cipher, Hash: e.box.Hash(name, salt+value)}
	}
	return sealed, nil
}

// openSecrets decrypts an object's secrets by name.
func (e *Engine) openSecrets(ctx context.Context, kind engine.Kind, id string) (map[string]string, error) {
	sealed, err := e.store.Secrets(ctx, kind, id)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(sealed))
	for name, s := range sealed {
		plain, err := e.box.Open(s.Cipher)
		if err != nil {
			return nil, err
		}
		values[name] = string(plain)
	}
	return values, nil
}
