package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Effective is what runs of one component in one deployment.
type Effective struct {
	Component   engine.Component  // defaults filled in, overrides merged; Env is the merged one
	Image       string            // pinned: registry/name:tag@sha256:…
	Env         map[string]string // merged, without secrets
	SecretNames []string          // secrets given as env, sorted
	SecretHash  string            // of every secret that the component uses, "" when it uses none
	ConfigHash  string            // sha256:…; a running instance with another one must be replaced
	RouteHashes map[string]string `json:",omitempty"` // of each route with its secrets; another one changes no instance
	Replicas    int               // 0 when the deployment is stopped
}

// MergeInput is everything that makes up the effective configuration.
type MergeInput struct {
	Components           map[string]engine.Component
	Images               map[string]string // pinned, by component
	EnvironmentVariables engine.Variables
	DeploymentVariables  engine.Variables
	Overrides            map[string]engine.ComponentOverride
	SecretHashes         map[string]string // name -> keyed hash of the value; the deployment's over the environment's
	RestartTrigger       string
	DesiredState         string // engine.StateStopped: no replicas anywhere
}

// Merge answers the effective configuration of every component.
//
// Variables by key, weakest first: the component's env, the environment's
// variables, the deployment's, the override's env; "" is a value, and nil takes
// away what weaker layers set. Overrides
// replace the replicas and single resources.
//
// ConfigHash covers the canonical component with that env, the image's digest,
// the hashes of the secrets it uses and the restart trigger. It does not cover
// replicas, depends_on, routes and the snapshots of volumes, which change nothing
// in a running instance, nor the image's name and tag, since the digest is what runs.
//
// A secret that SecretHashes does not have, and an image that is not pinned,
// are joined engine.ErrInvalid with fields such as components.api.secrets.
func Merge(in MergeInput) (map[string]Effective, error) {
	var p problems
	merged := make(map[string]Effective, len(in.Components))
	for name, c := range sorted(in.Components) {
		field := "components." + name
		e := Effective{Component: override(c, in.Overrides[name]), Image: in.Images[name]}
		if ImageDigest(e.Image) == e.Image {
			p.invalid(field+".image", "the image is not pinned to a digest")
		}
		e.Env = overlay(c.Env, in.EnvironmentVariables, in.DeploymentVariables, in.Overrides[name].Env)
		e.Component.Env = e.Env
		e.SecretNames = sortedSet(c.Secrets)
		for _, missing := range without(usedSecrets(c), in.SecretHashes) {
			p.invalid(field+".secrets", noSecret, missing)
		}
		p.at(field, missingRouteSecrets(c.Routes, in.SecretHashes))
		e.Replicas = *e.Component.Replicas
		if in.DesiredState == engine.StateStopped {
			e.Replicas = 0
		}
		e.SecretHash = secretHash(c, in.SecretHashes)
		e.ConfigHash = configHash(e, in.RestartTrigger)
		e.RouteHashes = routeHashes(c.Routes, in.SecretHashes)
		merged[name] = e
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return merged, nil
}

// ImageDigest is the digest of a pinned reference, the reference itself when it
// names none.
func ImageDigest(reference string) string {
	return reference[strings.LastIndexByte(reference, '@')+1:]
}

// override fills in the defaults and puts what the deployment changes over them.
func override(c engine.Component, o engine.ComponentOverride) engine.Component {
	c = Defaults(c)
	if o.Replicas != nil {
		c.Replicas = o.Replicas
	}
	if o.Resources == nil {
		return c
	}
	var r engine.Resources
	if c.Resources != nil {
		r = *c.Resources
	}
	if o.Resources.CPU != nil {
		r.CPU = o.Resources.CPU
	}
	if o.Resources.Memory != "" {
		r.Memory = o.Resources.Memory
	}
	if o.Resources.Pids != nil {
		r.Pids = o.Resources.Pids
	}
	c.Resources = &r
	return c
}

// overlay merges by key, the later layer wins.
func overlay(env map[string]string, layers ...engine.Variables) map[string]string {
	merged := map[string]string{}
	maps.Copy(merged, env)
	for _, layer := range layers {
		for name, value := range layer {
			if value == nil {
				delete(merged, name)
			} else {
				merged[name] = *value
			}
		}
	}
	return merged
}

const noSecret = "neither the environment nor the deployment has a secret %q"

// SecretsOf names every secret that the component needs: those that its instances
// take, and those that its routes do.
func SecretsOf(c engine.Component) []string {
	return sortedSet(slices.Concat(usedSecrets(c), RouteSecrets(c)))
}

// usedSecrets names every secret that the component's instances take, sorted.
func usedSecrets(c engine.Component) []string {
	return sortedSet(slices.AppendSeq(slices.Clone(c.Secrets), maps.Values(c.SecretFiles)))
}

func without(names []string, known map[string]string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { _, ok := known[n]; return ok })
}

func secretHash(c engine.Component, hashes map[string]string) string {
	used := map[string]string{}
	for _, name := range usedSecrets(c) {
		used[name] = hashes[name]
	}
	if len(used) == 0 {
		return ""
	}
	return digest(mustJSON(used))
}

func configHash(e Effective, restartTrigger string) string {
	c := Normalize(e.Component)
	c.Image, c.Replicas, c.DependsOn, c.Routes = "", nil, nil, nil
	c.Volumes = mapValues(c.Volumes, func(v engine.Volume) engine.Volume {
		v.Snapshot, v.PreSnapshot = "", nil
		return v
	})
	return digest(mustJSON(struct {
		Component                            engine.Component
		ImageDigest, Secrets, RestartTrigger string
	}{c, ImageDigest(e.Image), e.SecretHash, restartTrigger}))
}
