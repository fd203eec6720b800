package core

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// desire is what shall run of a deployment, with the secrets it takes.
type desire struct {
	version    engine.Version
	components map[string]catalog.Effective
	secrets    map[string]componentSecrets // by component
}

// componentSecrets are what a component's instances take, and what its routes do.
type componentSecrets struct {
	node.Secrets
	Routes map[string]string `json:"routes,omitempty"` // by name
}

// instanceSecrets are those that instances take.
func instanceSecrets(all map[string]componentSecrets) map[string]node.Secrets {
	only := make(map[string]node.Secrets, len(all))
	for name, s := range all {
		only[name] = s.Secrets
	}
	return only
}

// secretsOfRoutes are those that routes name, by component.
func secretsOfRoutes(all map[string]componentSecrets) map[string]map[string]string {
	only := make(map[string]map[string]string, len(all))
	for name, s := range all {
		only[name] = s.Routes
	}
	return only
}

// runs reports whether anything of it runs.
func (d desire) runs() bool {
	for _, c := range d.components {
		if c.Replicas > 0 {
			return true
		}
	}
	return false
}

// revisionConfig is what the store keeps of a revision, so that it can be
// brought back exactly: a rollback needs nothing else.
type revisionConfig struct {
	Components map[string]catalog.Effective `json:"components"`
	Secrets    []byte                       `json:"secrets,omitempty"` // sealed JSON of node.Secrets by component

	// VolumesBefore are those that a first deployment found on the node.
	VolumesBefore []string `json:"volumes_before"`
}

// sealedSecrets are a deployment's secrets over its environment's, by name.
func (e *Engine) sealedSecrets(ctx context.Context, environmentID, deploymentID string, fresh map[string]store.Secret) (map[string]store.Secret, error) {
	all, err := e.store.Secrets(ctx, engine.KindEnvironment, environmentID)
	if err != nil {
		return nil, err
	}
	own := fresh
	if own == nil {
		if own, err = e.store.Secrets(ctx, engine.KindDeployment, deploymentID); err != nil {
			return nil, err
		}
	}
	maps.Copy(all, own)
	return all, nil
}

func hashesOf(sealed map[string]store.Secret) map[string]string {
	hashes := make(map[string]string, len(sealed))
	for name, s := range sealed {
		hashes[name] = s.Hash
	}
	return hashes
}

// desireOf merges everything that makes up a deployment's configuration.
func (e *Engine) desireOf(ctx context.Context, d engine.Deployment, w world, fresh map[string]store.Secret) (desire, error) {
	sealed, err := e.sealedSecrets(ctx, d.EnvironmentID, d.ID, fresh)
	if err != nil {
		return desire{}, err
	}
	merged, err := catalog.Merge(mergeInput(d, w, hashesOf(sealed)))
	if err != nil {
		return desire{}, err
	}
	secrets, err := e.secretsFor(merged, sealed)
	return desire{version: w.version, components: merged, secrets: secrets}, err
}

func mergeInput(d engine.Deployment, w world, hashes map[string]string) catalog.MergeInput {
	return catalog.MergeInput{
		Components: w.version.Components, Images: w.version.Images,
		EnvironmentVariables: w.environment.Variables, DeploymentVariables: d.Variables,
		Overrides: d.Components, SecretHashes: hashes,
		RestartTrigger: d.RestartTrigger, DesiredState: d.DesiredState,
	}
}

// secretsFor opens the secrets that each component takes.
func (e *Engine) secretsFor(components map[string]catalog.Effective, sealed map[string]store.Secret) (map[string]componentSecrets, error) {
	plain := map[string]string{}
	open := func(name string) (string, error) {
		if value, known := plain[name]; known {
			return value, nil
		}
		value, err := e.box.Open(sealed[name].Cipher)
		plain[name] = string(value)
		return string(value), err
	}
	all := map[string]componentSecrets{}
	for component, effective := range components {
		s := componentSecrets{Secrets: node.Secrets{Env: map[string]string{}, Files: map[string][]byte{}}, Routes: map[string]string{}}
		for _, name := range effective.SecretNames {
			value, err := open(name)
			if err != nil {
				return nil, err
			}
			s.Env[name] = value
		}
		for path, name := range effective.Component.SecretFiles {
			value, err := open(name)
			if err != nil {
				return nil, err
			}
			s.Files[path] = []byte(value)
		}
		for _, name := range catalog.RouteSecrets(effective.Component) {
			value, err := open(name)
			if err != nil {
				return nil, err
			}
			s.Routes[name] = value
		}
		all[component] = s
	}
	return all, nil
}

// encode makes what the store keeps of a revision.
func (e *Engine) encode(d desire, volumesBefore []string) ([]byte, error) {
	config := revisionConfig{Components: d.components, VolumesBefore: volumesBefore}
	if takesSecrets(d.secrets) {
		plain, err := json.Marshal(d.secrets)
		if err != nil {
			return nil, err
		}
		if config.Secrets, err = e.box.Seal(plain); err != nil {
			return nil, err
		}
	}
	return json.Marshal(config)
}

func takesSecrets(all map[string]componentSecrets) bool {
	for _, s := range all {
		if len(s.Env) > 0 || len(s.Files) > 0 || len(s.Routes) > 0 {
			return true
		}
	}
	return false
}

// serving is the revision that serves, with its configuration.
type serving struct {
	revision store.Revision
	config   revisionConfig
}

// servingOf reads the serving revision, nil before the first success.
func (e *Engine) servingOf(ctx context.Context, deployment string) (*serving, error) {
	r, err := orNil(e.store.ServingRevision(ctx, deployment))
	if err != nil || r == nil {
		return nil, err
	}
	s := &serving{revision: *r}
	if err := json.Unmarshal(r.Config, &s.config); err != nil {
		return nil, &engine.Error{
			Class: engine.ErrUnavailable, Reason: "the stored configuration of the serving revision cannot be read", Err: err,
			Hint: "restore the store from a backup, or destroy the deployment and create it again",
		}
	}
	return s, nil
}

// components of the serving revision, nil before the first.
func (s *serving) components() map[string]catalog.Effective {
	if s == nil {
		return nil
	}
	return s.config.Components
}

// target describes a revision for the rollout.
func (e *Engine) target(ctx context.Context, rec store.DeploymentRecord, versionRef string, revision int, components map[string]catalog.Effective, secrets map[string]componentSecrets) (rollout.Target, error) {
	team := engine.ParentID(rec.EnvironmentID)
	id, _, err := engine.SplitRef(versionRef)
	if err != nil {
		return rollout.Target{}, err
	}
	t := rollout.Target{
		Version: engine.BaseName(id),
		Labels: node.Labels{
			Engine: e.EngineID(), Team: team, Environment: rec.EnvironmentID,
			Deployment: rec.ID, VersionRef: versionRef, Revision: revision,
		},
		Components: components, Images: map[string]node.Image{}, Secrets: instanceSecrets(secrets), RouteSecrets: secretsOfRoutes(secrets),
	}
	for name, effective := range components {
		if t.Images[name], err = e.nodeImage(ctx, team, effective.Image); err != nil {
			return t, err
		}
	}
	return t, nil
}

// priorTarget describes the serving revision, to be put back.
func (e *Engine) priorTarget(ctx context.Context, rec store.DeploymentRecord, s *serving) (*rollout.Target, error) {
	if s == nil {
		return nil, nil
	}
	secrets, sealed := e.unseal(s.config.Secrets)
	t, err := e.target(ctx, rec, s.revision.VersionRef, s.revision.Number, s.config.Components, secrets)
	t.Sealed = sealed
	return &t, err
}

// unseal opens a revision's secrets. A key that was lost must not keep a
// deployment from getting new ones: it only means that what takes secrets
// cannot be put back.
func (e *Engine) unseal(cipher []byte) (map[string]componentSecrets, error) {
	secrets := map[string]componentSecrets{}
	if len(cipher) == 0 {
		return secrets, nil
	}
	plain, err := e.box.Open(cipher)
	if err != nil {
		return nil, err
	}
	return secrets, json.Unmarshal(plain, &secrets)
}
