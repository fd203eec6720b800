package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/containerd/containerd/v2/pkg/archive"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

// shortName is how many hexadecimal digits name a layer's directory and its lock.
const shortName = 12

// brokenLayer is content that is not what its digest promised, or no archive.
type brokenLayer struct{ err error }

func (e *brokenLayer) Error() string { return e.err.Error() }
func (e *brokenLayer) Unwrap() error { return e.err }

// unpack makes layers/<name> and gives the name. below waits for the layers
// underneath and gives their names.
func (c *Cache) unpack(ctx context.Context, l layer, below func() ([]string, error)) (string, error) {
	held, err := c.lock(ctx, "layer-"+l.chain[:shortName])
	if err != nil {
		return "", err
	}
	defer held.release()
	name, whole := c.slot(l.chain)
	if whole {
		return name, nil
	}
	// Nobody else works on this layer: what lies here was left by a dead process.
	target, work := c.path("layers", name), c.path("tmp", name)
	defer removeAll(work) //nolint:errcheck // gone after success, and Prune comes by again
	if err := errors.Join(removeAll(target), removeAll(work)); err != nil {
		return "", err
	}
	entries, err := c.fetch(ctx, l, work)
	if err != nil {
		return "", err
	}
	parents, err := below()
	if err != nil {
		return "", err
	}
	if err := c.finish(work, entries, parents); err != nil {
		return "", err
	}
	if err := os.Rename(work, target); err != nil {
		return "", err
	}
	return name, c.write("mark-"+name, c.path("marks", name), []byte(l.chain))
}

// slot is the directory name of a layer, longer where the short one is taken by
// another layer, and whether the layer is there already.
func (c *Cache) slot(chain string) (name string, whole bool) {
	for n := shortName; n < len(chain); n++ {
		mark, err := os.ReadFile(c.path("marks", chain[:n]))
		if err != nil {
			return chain[:n], false
		}
		if string(mark) == chain {
			return chain[:n], true
		}
	}
	return chain, false
}

// fetch unpacks the layer into dir, beginning again when the connection breaks.
func (c *Cache) fetch(ctx context.Context, l layer, dir string) (found *entries, err error) {
	err = image.Persist(ctx, func() (err error) {
		found, err = c.fetchOnce(ctx, l, dir)
		return err
	})
	return found, err
}

func (c *Cache) fetchOnce(ctx context.Context, l layer, dir string) (*entries, error) {
	if err := removeAll(dir); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask took
		return nil, err
	}
	blob, err := l.Uncompressed()
	if err != nil {
		return nil, err
	}
	defer blob.Close() //nolint:errcheck // read to its end or given up
	return c.apply(ctx, blob, l.diff, dir)
}

// apply unpacks a tar stream and checks that all of it has the digest.
func (c *Cache) apply(ctx context.Context, blob io.Reader, diff v1.Hash, dir string) (*entries, error) {
	sum := sha256.New()
	stream := io.TeeReader(&untilDone{ctx, blob}, sum)
	entries := newEntries(c.owners)
	options := []archive.ApplyOpt{archive.WithFilter(entries.accept), archive.WithConvertWhiteout(entries.whiteout)}
	if !c.owners {
		options = append(options, archive.WithNoSameOwner())
	}
	_, err := archive.Apply(ctx, dir, stream, options...)
	if err == nil {
		_, err = io.Copy(io.Discard, stream) // the padding counts too
	}
	if err != nil {
		return nil, broken(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != diff.Hex {
		return nil, &brokenLayer{fmt.Errorf("a layer's content is sha256:%s, its image says %s", got, diff)}
	}
	return entries, nil
}

// broken tells errors of the content from those of the network and this machine.
func broken(err error) error {
	if image.Interrupted(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, new(*os.PathError)) || errors.As(err, new(unix.Errno)) {
		return err
	}
	return &brokenLayer{err}
}

// untilDone stops reading when its context ends, also in the midst of a large file.
type untilDone struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call
	io.Reader
}

func (r *untilDone) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
