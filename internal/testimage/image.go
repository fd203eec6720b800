package testimage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Options say how an image runs. The zero value of a field leaves it out.
type Options struct {
	Entrypoint  []string
	Cmd         []string
	Env         map[string]string
	User        string
	WorkingDir  string
	Ports       []string // 80/tcp
	HealthCheck *v1.HealthConfig
	Labels      map[string]string
	Volumes     []string
	StopSignal  string
	Platform    string   // "" = linux/amd64's like: linux and this machine's architecture
	Files       []File   // a layer above the program
	Layers      [][]File // more layers above that
}

// File is an entry of a layer.
type File struct {
	Path     string // /etc/passwd; a directory ends with a slash
	Content  string
	Mode     int64 // permission bits with setuid and the like; 0 = 0644, directories 0755
	UID, GID int
	Symlink  string            // target, then the other fields but the owner are ignored
	Hardlink string            // path of an earlier entry
	Type     byte              // a tar type for anything else
	Xattrs   map[string]string // by full name, such as user.note
}

// Layer makes a layer of the entries in their order. It is always the same for the
// same entries. It is in gzip's format without being any smaller: to compress
// programs once more for every test takes longer than all that is done with them.
func Layer(files ...File) (v1.Layer, error) {
	var buf bytes.Buffer
	if err := WriteTar(&buf, files...); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.NoCompression), tarball.WithCompressedCaching)
}

// WriteTar writes the entries as an uncompressed layer.
func WriteTar(w io.Writer, files ...File) error {
	tw := tar.NewWriter(w)
	for _, f := range files {
		if err := tw.WriteHeader(f.header()); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		if _, err := io.WriteString(tw, f.Content); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return tw.Close()
}

func (f File) header() *tar.Header {
	h := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Typeflag: tar.TypeReg, Mode: f.Mode,
		Size: int64(len(f.Content)), Uid: f.UID, Gid: f.GID, Format: tar.FormatPAX}
	switch {
	case f.Type != 0:
		h.Typeflag = f.Type
	case f.Symlink != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, f.Symlink
	case f.Hardlink != "":
		h.Typeflag, h.Linkname = tar.TypeLink, strings.TrimPrefix(f.Hardlink, "/")
	case strings.HasSuffix(f.Path, "/"):
		h.Typeflag = tar.TypeDir
	}
	if h.Mode == 0 {
		h.Mode = 0o644
		if h.Typeflag == tar.TypeDir {
			h.Mode = 0o755
		}
	}
	for name, value := range f.Xattrs {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords["SCHILY.xattr."+name] = value
	}
	return h
}

// Assemble makes an image of the layers, lowest first, and those that the options add.
func Assemble(o Options, layers ...v1.Layer) (v1.Image, error) {
	extra := o.Layers
	if len(o.Files) > 0 {
		extra = append([][]File{o.Files}, extra...)
	}
	for _, files := range extra {
		l, err := Layer(files...)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(img, o.configFile(img))
}

func (o Options) configFile(img v1.Image) *v1.ConfigFile {
	file, err := img.ConfigFile()
	if err != nil {
		file = &v1.ConfigFile{}
	}
	file = file.DeepCopy()
	p := o.platform()
	file.OS, file.Architecture, file.Variant = p.OS, p.Architecture, p.Variant
	file.Config = v1.Config{Entrypoint: o.Entrypoint, Cmd: o.Cmd, Env: envList(o.Env), User: o.User, WorkingDir: o.WorkingDir,
		ExposedPorts: set(o.Ports), Healthcheck: o.HealthCheck, Labels: o.Labels, Volumes: set(o.Volumes), StopSignal: o.StopSignal}
	return file
}

// FromFiles makes an image of one layer a list of files.
func FromFiles(t testing.TB, o Options, layers ...[]File) v1.Image {
	t.Helper()
	o.Layers = append(layers, o.Layers...)
	return must(t)(Assemble(o))
}

// Index makes an image for several platforms of images for one each.
func Index(t testing.TB, images ...v1.Image) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, img := range images {
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatalf("index: %v", err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	return index
}

func must(t testing.TB) func(v1.Image, error) v1.Image {
	return func(img v1.Image, err error) v1.Image {
		t.Helper()
		if err != nil {
			t.Fatalf("test image: %v", err)
		}
		return img
	}
}

func envList(env map[string]string) []string {
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

func set(names []string) map[string]struct{} {
	if len(names) == 0 {
		return nil
	}
	all := map[string]struct{}{}
	for _, n := range names {
		all[path.Clean(n)] = struct{}{}
	}
	return all
}
