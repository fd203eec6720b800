package docker_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// ownAddress is one of this machine that is not loopback, where a Docker Engine
// takes no registry without TLS: the Engine's end of a network.
func ownAddress(t *testing.T, e *testdocker.Engine) string {
	t.Helper()
	c := e.Client(t)
	made, err := c.NetworkCreate(t.Context(), "test-registry-"+strings.ToLower(rand.Text()[:8]), client.NetworkCreateOptions{Driver: "bridge"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.NetworkRemove(context.Background(), made.ID, client.NetworkRemoveOptions{}) })
	found, err := c.NetworkInspect(t.Context(), made.ID, client.NetworkInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found.Network.IPAM.Config[0].Gateway.String()
}

// A registry that the declaration opens, and the Docker Engine does not trust, is
// used all the same: without TLS, or with a certificate that signed itself.
func TestRegistryThatTheEngineDoesNotTrust(t *testing.T) {
	e := daemon(t)
	host := ownAddress(t, e)
	b := newBench(t, open(t, over(e.Host)))
	for tag, secured := range map[string]bool{"plain": false, "own-ca": true} {
		r := testimage.DebianRegistry(t, testimage.RealOptions{Host: host, TLS: secured})
		built, err := testimage.BuildApp(tag, nil, testimage.Options{})
		b.ok(err)
		config, err := built.ConfigFile()
		b.ok(err)
		c := r.Credential()
		good := node.Image{Reference: r.Push(t, "shop/app:"+tag, built),
			Auth: node.Auth{Username: c.Username, Password: c.Password, CACertificate: c.CACertificate, PlainHTTP: c.PlainHTTP()}}

		undeclared, wrong := good, good
		undeclared.Auth.PlainHTTP, undeclared.Auth.CACertificate = false, ""
		b.hinted(b.Pull(t.Context(), undeclared), engine.ErrUnavailable)
		wrong.Auth.Password = "canary"
		b.hinted(b.Pull(t.Context(), wrong), engine.ErrDenied)
		if has, err := b.Has(t.Context(), good); err != nil || has {
			t.Fatalf("has it before it is pulled: %t (%v)", has, err)
		}
		b.ok(b.Pull(t.Context(), good))
		b.runsCarried(e, good, config.RootFS.DiffIDs)
	}
}

// Images that are carried at the same time are fetched once, layers that they share too.
func TestCarriedOnce(t *testing.T) {
	t.Parallel()
	e := daemon(t)
	cfg := over(e.Host)
	cfg.EngineID = "eng_" + rand.Text() // which prunes its own
	b := newBench(t, open(t, cfg))
	r := testimage.Registry(t, testimage.RegistryOptions{Address: ownAddress(t, e) + ":0"})
	parts := map[string]int{} // how often each was asked for
	pulled := make(chan error)
	release := r.HoldFrom(1)
	const images, times = 3, 4
	for n := range images {
		made := testimage.FromFiles(t, testimage.Options{}, []testimage.File{{Path: "/common", Content: r.URL()}},
			[]testimage.File{{Path: "/own", Content: fmt.Sprint(n, r.URL())}})
		image := node.Image{Reference: r.Push(t, fmt.Sprint("carried:", n), made), Auth: node.Auth{PlainHTTP: true}}
		manifest, err := made.Manifest()
		b.ok(err)
		digest, err := made.Digest()
		b.ok(err)
		parts["/manifests/"+digest.String()] = 0
		for _, part := range append(manifest.Layers, manifest.Config) {
			parts["/blobs/"+part.Digest.String()] = 0
		}
		for range times {
			go func() { pulled <- b.Pull(t.Context(), image) }()
		}
	}
	b.until("all of them are under way", func() bool { return r.Count("GET /v2/carried/manifests/") == images })
	release()
	for range images * times {
		b.ok(<-pulled)
	}
	for part := range parts {
		if n := r.CountSuffix(part); n != 1 {
			t.Errorf("%s was fetched %d times", part, n)
		}
	}
	b.ok(b.Prune(t.Context(), nil))
}

// hinted wants an error of the class that says what to do and keeps the secret.
func (b *bench) hinted(err, class error) {
	b.Helper()
	var known *engine.Error
	if !errors.Is(err, class) || !errors.As(err, &known) || known.Hint == "" || strings.Contains(err.Error(), "canary") {
		b.Errorf("error %v, want one of class %q with a hint", err, class)
	}
}

// runsCarried wants the image to run by exactly its digest, to show no drift, and
// to be kept and pruned as any other; also to a driver that did not carry it.
func (b *bench) runsCarried(e *testdocker.Engine, image node.Image, layers []v1.Hash) {
	b.Helper()
	other := open(b.T, over(e.Host))
	b.Cleanup(func() { b.ok(other.Close()) })
	if has, err := other.Has(b.Context(), image); err != nil || !has {
		b.Fatalf("another process has it: %t (%v)", has, err)
	}
	b.ok(other.Pull(b.Context(), image)) // it is there
	s := b.spec("api-1-1", 1, engine.Component{})
	s.Image, s.Component.Image = image.Reference, image.Reference
	b.ok(other.Preflight(b.Context(), b.deployment, []node.Spec{s}))
	b.ok(other.Create(b.Context(), s))
	b.ok(b.Start(b.Context(), s.Key, node.Secrets{Env: map[string]string{"A": "b"}})) // it is made anew for its secret
	b.serving(s.Key)
	for _, d := range []node.Driver{b.Driver, other} {
		i, err := d.Inspect(b.Context(), s.Key)
		b.ok(err)
		if i.Image != image.Reference || len(i.Altered) > 0 {
			b.Errorf("image %s, altered %v", i.Image, i.Altered)
		}
	}
	c, err := e.Client(b).ContainerInspect(b.Context(), engine.BaseName(b.deployment)+"-"+s.Key.Name, client.ContainerInspectOptions{})
	b.ok(err)
	runs, err := e.Client(b).ImageInspect(b.Context(), c.Container.Image)
	b.ok(err)
	if got := strings.Join(runs.RootFS.Layers, " "); got != strings.Trim(fmt.Sprint(layers), "[]") {
		b.Errorf("the container runs %s, want %v", got, layers)
	}

	has := func(want bool) {
		b.Helper()
		if has, err := b.Has(b.Context(), image); err != nil || has != want {
			b.Errorf("has it: %t (%v), want %t", has, err, want)
		}
	}
	b.ok(other.Prune(b.Context(), nil))
	has(true) // it runs
	b.ok(b.RemoveDeployment(b.Context(), b.deployment, nil))
	b.ok(other.Prune(b.Context(), []string{image.Reference}))
	has(true) // it is kept
	b.ok(other.Prune(b.Context(), nil))
	has(false)
}
