package main

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// program is the path of the application in its image.
const program = "/app"

// serveImage builds the application's image and offers it at a registry on loopback.
func (b *bench) serveImage(ctx context.Context) (*http.Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0))), ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // it ends with Close
	if b.image, err = b.publish(ctx, listener.Addr().String()+"/bench/app:1", "/internal/bench/app"); err != nil {
		server.Close()
		return nil, err
	}
	return server, nil
}

// publish offers an image of one of our programs, and answers its reference.
func (b *bench) publish(ctx context.Context, reference, pkg string) (string, error) {
	image, err := b.imageOf(ctx, pkg)
	if err != nil {
		return "", err
	}
	tag, err := name.NewTag(reference)
	if err != nil {
		return "", err
	}
	return tag.String(), remote.Write(tag, image, remote.WithContext(ctx))
}

// registry is the URL of where the image is.
func (b *bench) registry() string {
	host, _, _ := strings.Cut(b.image, "/")
	return "http://" + host
}

func (b *bench) imageOf(ctx context.Context, pkg string) (v1.Image, error) {
	path, err := b.build(ctx, pkg, strings.ReplaceAll(pkg[1:], "/", "-"))
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	root, err := archive(content)
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
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{Entrypoint: []string{program}}
	return mutate.ConfigFile(image, config)
}

// archive is the root file system: the program, and nothing else.
func archive(content []byte) ([]byte, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: program[1:], Mode: 0o755, Size: int64(len(content))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err := w.Close()
	return buffer.Bytes(), err
}
