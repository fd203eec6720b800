package core

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// The names that a Docker node's private keys are sealed under.
const (
	tlsKeySecret = "tls_private_key"
	sshKeySecret = "ssh_private_key"
)

// dockerDriver opens the driver of a Docker Engine.
func (e *Engine) dockerDriver(n engine.DockerNode) (node.Driver, error) {
	c := docker.Config{
		Connection: docker.Connection{Host: n.Host, Context: n.Context},
		EngineID:   e.EngineID(), Address: n.Address,
		AllowedHostPaths: n.AllowedHostPaths, AllowedDevices: n.AllowedDevices, AllowPrivileged: n.AllowPrivileged,
	}
	keys := keysOf(engine.Node{Docker: &n})
	if n.TLS != nil {
		c.TLS = &docker.TLS{CA: n.TLS.CACertificate, Certificate: n.TLS.Certificate, PrivateKey: keys.TLS}
	}
	c.SSH.PrivateKey = keys.SSH
	if n.SSH != nil {
		c.SSH.PrivateKeyPath, c.SSH.KnownHosts, c.SSH.UseAgent = n.SSH.PrivateKeyPath, n.SSH.KnownHosts, n.SSH.UseAgent
	}
	return docker.New(c)
}

// keysOf are the keys that come with a node.
func keysOf(n engine.Node) engine.DockerKeys {
	if n.Docker == nil || n.Docker.Keys == nil {
		return engine.DockerKeys{}
	}
	return *n.Docker.Keys
}

// withKeys answers the node with its stored keys, unless new ones come with it.
func (e *Engine) withKeys(ctx context.Context, n engine.Node) (engine.Node, error) {
	if n.Docker == nil || n.Docker.Keys != nil {
		return n, nil
	}
	opened, err := e.openSecrets(ctx, engine.KindNode, n.ID)
	if err != nil {
		return n, err
	}
	whole := *n.Docker
	whole.Keys = &engine.DockerKeys{TLS: opened[tlsKeySecret], SSH: opened[sshKeySecret]}
	n.Docker = &whole
	return n, nil
}

// writeNode stores a node, and its keys when there are new ones.
func (e *Engine) writeNode(ctx context.Context, n engine.Node, write func(store.Queries, context.Context, engine.Node) (engine.Node, error)) (engine.Node, error) {
	var sealed map[string]store.Secret
	if n.Docker != nil && n.Docker.Keys != nil {
		plain := map[string]string{}
		for name, key := range map[string]string{tlsKeySecret: n.Docker.Keys.TLS, sshKeySecret: n.Docker.Keys.SSH} {
			if key != "" {
				plain[name] = key
			}
		}
		var err error
		if sealed, err = e.seal(plain); err != nil {
			return engine.Node{}, err
		}
		bare := *n.Docker
		bare.Keys = nil
		n.Docker = &bare
	}
	var written engine.Node
	err := e.store.Tx(ctx, func(tx *store.Tx) error {
		var err error
		if written, err = write(tx.Queries, ctx, n); err != nil || sealed == nil {
			return err
		}
		return tx.ReplaceSecrets(ctx, engine.KindNode, n.ID, sealed)
	})
	return written, err
}
