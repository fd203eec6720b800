package testimage

import (
	"maps"
	"path/filepath"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// App makes an image of the web application in package app: it listens on 8080,
// its VERSION is the tag, and env decides what else it does. /data belongs to
// nobody (65534) and everybody may write to it.
func App(t testing.TB, tag string, env map[string]string) v1.Image {
	t.Helper()
	return must(t)(BuildApp(tag, env, Options{}))
}

// BuildApp is App without a test, with more options.
func BuildApp(tag string, env map[string]string, o Options) (v1.Image, error) {
	_, here, _, _ := runtime.Caller(0)
	all := map[string]string{"VERSION": tag, "PATH": "/"}
	maps.Copy(all, o.Env)
	maps.Copy(all, env)
	o.Env = all
	o.Ports = append(o.Ports, "8080/tcp")
	o.Files = append(o.Files,
		File{Path: "/etc/"}, File{Path: "/etc/passwd", Content: "root:x:0:0::/:/app\napp:x:1000:1000::/:/app\nnobody:x:65534:65534::/:/app\n"},
		File{Path: "/etc/group", Content: "root:x:0:\napp:x:1000:\nnogroup:x:65534:\n"},
		File{Path: "/tmp/", Mode: 0o1777}, File{Path: "/data/", Mode: 0o777, UID: 65534, GID: 65534})
	if o.Labels == nil {
		o.Labels = map[string]string{"org.opencontainers.image.version": tag}
	}
	return BuildGo(filepath.Join(filepath.Dir(here), "app"), o)
}
