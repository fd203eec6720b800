package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

// layersAtOnce keeps one pull from taking the whole line.
const layersAtOnce = 3

// Pull brings the image pinned as registry/name:tag@sha256:… for a platform
// (linux/amd64) here, once however many ask for it at the same time, in this
// process or another. Errors: ErrInvalid, ErrNotFound, ErrDenied, ErrUnavailable
// (no answer, a broken transfer, wrong content, a full disk), ErrUnsupported
// (no image for the platform).
func (c *Cache) Pull(ctx context.Context, pinned, platform string, cred image.Credential) error {
	r, err := image.Parse(pinned)
	if err != nil {
		return err
	}
	key, err := keyOf(r.Digest)
	if err != nil {
		return err
	}
	if c.runnable(r.Digest, platform) {
		return nil
	}
	l, err := c.lock(ctx, "image-"+key)
	if err != nil {
		return c.explain(r, cred, err)
	}
	defer l.release()
	if c.runnable(r.Digest, platform) {
		return nil
	}
	found, err := c.client.Fetch(ctx, r.String(), platform, cred)
	if err != nil {
		return err
	}
	return c.explain(r, cred, c.keep(ctx, found, r, platform))
}

func (c *Cache) runnable(digest, platform string) bool {
	r, err := c.read(digest)
	return err == nil && r.Platform == platform
}

// keep unpacks the layers and then records the image.
func (c *Cache) keep(ctx context.Context, found v1.Image, r image.Reference, platform string) error {
	layers, config, err := contents(found)
	if err != nil {
		return err
	}
	pull, err := c.announce(ctx, layers)
	if err != nil {
		return err
	}
	defer pull.discard()
	names, err := c.unpackAll(ctx, layers)
	if err != nil {
		return err
	}
	text, err := json.Marshal(record{Reference: r.String(), Platform: platform, Config: configOf(config.Config), Layers: names})
	if err != nil {
		return err
	}
	key, err := keyOf(r.Digest)
	if err != nil {
		return err
	}
	return c.write("image-"+key, c.path("images", key), text)
}

// layer is one layer of an image with what it is checked and known by.
type layer struct {
	v1.Layer
	diff  v1.Hash
	chain string // hexadecimal: what is unpacked depends on the layers below it
}

func contents(found v1.Image) ([]layer, *v1.ConfigFile, error) {
	config, err := found.ConfigFile()
	if err != nil {
		return nil, nil, err
	}
	blobs, err := found.Layers()
	if err != nil {
		return nil, nil, err
	}
	if len(blobs) != len(config.RootFS.DiffIDs) {
		return nil, nil, fmt.Errorf("its manifest has %d layers, its configuration %d", len(blobs), len(config.RootFS.DiffIDs))
	}
	var layers []layer
	below := ""
	for i, diff := range config.RootFS.DiffIDs {
		below = chainOf(below, diff)
		layers = append(layers, layer{Layer: blobs[i], diff: diff, chain: below})
	}
	return layers, config, nil
}

// chainOf is the OCI chain id: it names a layer together with all below it.
func chainOf(below string, diff v1.Hash) string {
	if below == "" {
		return diff.Hex
	}
	sum := sha256.Sum256([]byte("sha256:" + below + " " + diff.String()))
	return hex.EncodeToString(sum[:])
}

// announce tells Prune which layers must stay while the lock that it gives is held.
func (c *Cache) announce(ctx context.Context, layers []layer) (*lock, error) {
	all, err := c.lock(ctx, "all")
	if err != nil {
		return nil, err
	}
	defer all.release()
	var chains []string
	for _, l := range layers {
		chains = append(chains, l.chain)
	}
	text, err := json.Marshal(chains)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(c.path("pulls"), "")
	if err != nil {
		return nil, err
	}
	pull := &lock{file: f, path: f.Name()}
	_, err = f.Write(text)
	if err = errors.Join(err, unix.Flock(int(f.Fd()), unix.LOCK_EX)); err != nil {
		pull.discard()
		return nil, err
	}
	return pull, nil
}

// unpackAll gives the names of the layers' directories, lowest first. A layer is
// fetched beside those below it, and finished after them.
func (c *Cache) unpackAll(ctx context.Context, layers []layer) ([]string, error) {
	names := make([]string, len(layers))
	done := make([]chan struct{}, len(layers)+1)
	for i := range done {
		done[i] = make(chan struct{})
	}
	close(done[0])
	group, ctx := errgroup.WithContext(ctx)
	// Go starts them lowest first, so what a layer waits for is always under way.
	group.SetLimit(layersAtOnce)
	for i, l := range layers {
		group.Go(func() error {
			name, err := c.unpack(ctx, l, func() ([]string, error) {
				select {
				case <-done[i]:
					return names[:i], nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
			if err != nil {
				return err
			}
			select {
			case <-done[i]:
			case <-ctx.Done():
				return ctx.Err()
			}
			names[i] = name
			close(done[i+1])
			return nil
		})
	}
	return names, group.Wait()
}

// explain adds what a machine can be to blame for to what a registry can.
func (c *Cache) explain(r image.Reference, cred image.Credential, err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return &engine.Error{Class: engine.ErrUnavailable,
			Reason: fmt.Sprintf("no space is left in %s for image %s", c.dir, r),
			Hint:   "free some space, or put the node's root on a larger disk"}
	case errors.As(err, new(*os.PathError)), errors.As(err, new(*os.LinkError)), errors.As(err, new(*brokenLayer)):
		return &engine.Error{Class: engine.ErrUnavailable, Reason: fmt.Sprintf("image %s cannot be unpacked", r), Err: err}
	}
	return image.Explain(r, cred, err)
}
