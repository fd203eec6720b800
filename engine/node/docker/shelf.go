package docker

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// shelf keeps the layers that are carried to the node while other images are under
// way, which may have them too: so each is fetched once. Nothing outlives the process.
type shelf struct {
	mu    sync.Mutex
	slots map[v1.Hash]*slot
}

// slot is for one layer.
type slot struct {
	turn chan struct{} // is in here while somebody fetches it
	kept *temporary    // nil as long as nobody has
	size int64
}

// temporary is a file whose name is gone as soon as the system lets it go.
type temporary struct {
	*os.File
	named bool
}

func newTemporary() (*temporary, error) {
	f, err := os.CreateTemp("", "slipway-layer-")
	if err != nil {
		return nil, err
	}
	return &temporary{File: f, named: os.Remove(f.Name()) != nil}, nil
}

func (t *temporary) drop() {
	_ = t.Close()
	if t.named {
		_ = os.Remove(t.Name())
	}
}

// slot finds or makes that of a layer.
func (s *shelf) slot(layer v1.Hash) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots == nil {
		s.slots = map[v1.Hash]*slot{}
	}
	if s.slots[layer] == nil {
		s.slots[layer] = &slot{turn: make(chan struct{}, 1)}
	}
	return s.slots[layer]
}

// clear empties the shelf; nobody may be reading from it.
func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.slots {
		if p.kept != nil {
			p.kept.drop()
		}
	}
	s.slots = nil
}

// shelvedImage is an image whose layers are looked for on the shelf first.
type shelvedImage struct {
	v1.Image

	ctx   context.Context //nolint:containedctx // the interface has no place for it
	shelf *shelf
	keep  func() bool // whether others could want a layer
}

// Layers implements v1.Image.
func (i *shelvedImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	for n, l := range layers {
		layers[n] = &shelvedLayer{Layer: l, image: i}
	}
	return layers, err
}

type shelvedLayer struct {
	v1.Layer

	image *shelvedImage
}

// Compressed implements v1.Layer. Who closes it lets the next one in.
func (l *shelvedLayer) Compressed() (io.ReadCloser, error) {
	digest, err := l.Digest()
	if err != nil {
		return nil, err
	}
	p := l.image.shelf.slot(digest)
	select {
	case p.turn <- struct{}{}:
	case <-l.image.ctx.Done():
		return nil, context.Cause(l.image.ctx)
	}
	if p.kept != nil {
		<-p.turn
		return io.NopCloser(io.NewSectionReader(p.kept, 0, p.size)), nil
	}
	from, err := l.Layer.Compressed()
	if err != nil {
		<-p.turn
		return nil, err
	}
	f := &fetching{ReadCloser: from, slot: p}
	if l.image.keep() {
		f.copy, _ = newTemporary() // without a place for it, it is fetched again
	}
	return f, nil
}

// fetching is a layer that comes from a registry, and is kept when all of it came.
type fetching struct {
	io.ReadCloser

	slot  *slot
	copy  *temporary
	size  int64
	whole bool
}

// Read implements io.Reader.
func (f *fetching) Read(into []byte) (int, error) {
	n, err := f.ReadCloser.Read(into)
	f.size += int64(n)
	f.whole = errors.Is(err, io.EOF) // the digest is right then
	if f.copy != nil {
		if _, full := f.copy.Write(into[:n]); full != nil {
			f.copy.drop()
			f.copy = nil
		}
	}
	return n, err
}

// Close implements io.Closer.
func (f *fetching) Close() error {
	switch {
	case f.copy != nil && f.whole:
		f.slot.kept, f.slot.size = f.copy, f.size
	case f.copy != nil:
		f.copy.drop()
	}
	<-f.slot.turn
	return f.ReadCloser.Close()
}
