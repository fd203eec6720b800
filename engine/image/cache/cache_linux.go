package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

// Cache is a directory of images. It is safe for concurrent use, also by several
// processes, and holds nothing open between calls.
type Cache struct {
	dir    string // absolute
	client *image.Client
	owners bool // files keep their owners; else all belong to this user
}

// Open makes the directory when it is missing. Run by root, files keep the owners
// that images give them; run by anybody else they belong to that user.
func Open(dir string, options ...Option) (*Cache, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, unusable(dir, err)
	}
	s := settings{}
	for _, o := range options {
		o(&s)
	}
	if s.client == nil {
		s.client = image.NewClient(image.Options{})
	}
	c := &Cache{dir: absolute, client: s.client, owners: mayChown()}
	for _, room := range []string{"layers", "marks", "images", "pulls", "locks", "tmp"} {
		// Images carry programs that take their owner's rights: nobody else may
		// reach them through the cache.
		if err := os.MkdirAll(c.path(room), 0o700); err != nil {
			return nil, unusable(dir, err)
		}
	}
	return c, nil
}

func unusable(dir string, err error) error {
	return &engine.Error{Class: engine.ErrUnavailable, Reason: fmt.Sprintf("the image cache %s cannot be used", dir),
		Hint: "choose a directory that this user may write to", Err: err}
}

func (c *Cache) path(parts ...string) string {
	return filepath.Join(append([]string{c.dir}, parts...)...)
}

// record is what images/<digest> holds.
type record struct {
	Reference string   `json:"reference"`
	Platform  string   `json:"platform"`
	Config    Config   `json:"config"`
	Layers    []string `json:"layers"` // names in layers/, lowest first
}

// Has reports whether the whole image with that digest (sha256:…) is here.
func (c *Cache) Has(digest string) bool {
	_, err := c.read(digest)
	return err == nil
}

// Image tells what the image with that digest (sha256:…) runs and where its
// layers are; ErrNotFound when it was not pulled.
func (c *Cache) Image(digest string) (Image, error) {
	r, err := c.read(digest)
	if err != nil {
		return Image{}, err
	}
	found := Image{Reference: r.Reference, Digest: digest, Platform: r.Platform, Config: r.Config}
	for _, name := range r.Layers {
		found.Layers = append(found.Layers, c.path("layers", name))
	}
	return found, nil
}

// read gives the record of an image that is whole.
func (c *Cache) read(digest string) (record, error) {
	missing := &engine.Error{Class: engine.ErrNotFound, Reason: fmt.Sprintf("image %s is not in the cache", digest), Hint: "pull it first"}
	key, err := keyOf(digest)
	if err != nil {
		return record{}, err
	}
	r, err := readRecord(c.path("images", key))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, missing
	}
	if err != nil {
		return record{}, unusable(c.dir, err)
	}
	for _, name := range r.Layers {
		if _, err := os.Stat(c.path("marks", name)); err != nil {
			return record{}, missing
		}
	}
	return r, nil
}

func readRecord(path string) (record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return record{}, err
	}
	var r record
	return r, json.Unmarshal(text, &r)
}

// keyOf makes a digest a file name, and refuses what would be a path.
func keyOf(digest string) (string, error) {
	hex, found := strings.CutPrefix(digest, "sha256:")
	if !found || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", engine.Invalid("", "%q is not a digest: it is sha256: and 64 hexadecimal digits", digest)
	}
	return hex, nil
}

// write puts a file in its place whole or not at all. The caller holds the lock
// that belongs to the draft's name, see idleLock.
func (c *Cache) write(draft, path string, content []byte) error {
	draft = c.path("tmp", draft)
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return os.Rename(draft, path)
}
