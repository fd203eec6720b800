package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// release is one image of the example: a static program and nothing else.
type release struct {
	repository, tag string
	source          string            // directory of the program in the example
	link            map[string]string // variables of its main package
	directories     []string          // where volumes are mounted
	port            string
}

// releases are all images that the quickstart needs. The broken one is a real
// mistake: it needs a store that nobody deployed.
var releases = []release{
	{repository: "store", tag: "1.0.0", source: "store", directories: []string{"data"}, port: "7070/tcp"},
	{repository: "guestbook", tag: "1.0.0", source: "app", port: "8080/tcp",
		link: map[string]string{"main.version": "1.0.0"}},
	{repository: "guestbook", tag: "1.1.0", source: "app", port: "8080/tcp",
		link: map[string]string{"main.version": "1.1.0"}},
	{repository: "guestbook", tag: "2.0.0-broken", source: "app", port: "8080/tcp",
		link: map[string]string{"main.version": "2.0.0-broken", "main.storeProtocol": "2"}},
}

// publish builds every release and pushes it to the registry. Equal sources make
// equal digests.
func publish(ctx context.Context, l layout, out io.Writer) error {
	password, err := l.password()
	if err != nil {
		return err
	}
	for _, r := range releases {
		image, err := r.build(ctx, l)
		if err != nil {
			return fmt.Errorf("build the image %s:%s: %w", r.repository, r.tag, err)
		}
		ref, err := name.NewTag(fmt.Sprintf("%s/%s:%s", l.address(), r.repository, r.tag), name.Insecure)
		if err != nil {
			return err
		}
		auth := &authn.Basic{Username: registryUser, Password: password}
		if err := remote.Write(ref, image, remote.WithContext(ctx), remote.WithAuth(auth)); err != nil {
			return fmt.Errorf("push %s: %w", ref, err)
		}
		digest, err := image.Digest()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s  %s\n", ref, digest)
	}
	return nil
}

func (r release) build(ctx context.Context, l layout) (v1.Image, error) {
	program, err := r.compile(ctx, l)
	if err != nil {
		return nil, err
	}
	root, err := r.root(program)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(root)), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, r.describe(config.DeepCopy()))
}

// describe fills in what the image is. There is no time in it, so that it is
// the same whenever it is made.
func (r release) describe(config *v1.ConfigFile) *v1.ConfigFile {
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{
		Entrypoint:   []string{"/" + r.repository},
		ExposedPorts: map[string]struct{}{r.port: {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":   r.repository,
			"org.opencontainers.image.version": r.tag,
		},
	}
	return config
}

// compile answers a static program for this machine's kind of Linux.
func (r release) compile(ctx context.Context, l layout) ([]byte, error) {
	flags := "-s -w -buildid="
	for _, variable := range []string{"main.version", "main.storeProtocol"} {
		if value := r.link[variable]; value != "" {
			flags += fmt.Sprintf(" -X %s=%s", variable, value)
		}
	}
	path := filepath.Join(l.run, "bin", r.repository+"-"+r.tag)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", path, ".")
	cmd.Dir = filepath.Join(l.example, r.source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return os.ReadFile(path)
}

// root is the image's file system as a tar archive.
func (r release) root(program []byte) ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, directory := range append([]string{"tmp"}, r.directories...) {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: directory + "/", Mode: 0o1777}); err != nil {
			return nil, err
		}
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: r.repository, Mode: 0o755, Size: int64(len(program))}
	if err := archive.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := archive.Write(program); err != nil {
		return nil, err
	}
	err := archive.Close()
	return buffer.Bytes(), err
}
