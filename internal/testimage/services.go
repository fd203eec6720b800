package testimage

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const systemPath = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// accounts makes the files that name the system's users and one more.
func accounts(name string, id int, home string) []File {
	return []File{
		{Path: "/etc/passwd", Content: fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n%s:x:%d:%d::%s:/bin/sh\n", name, id, id, home)},
		{Path: "/etc/group", Content: fmt.Sprintf("root:x:0:\nnogroup:x:65534:\n%s:x:%d:\n", name, id)},
	}
}

// nginxConf works in a container with a read-only root, and where only one user
// exists: the workers stay root.
const nginxConf = `user root root;
daemon off;
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log /dev/stdout;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {
    listen 0.0.0.0:80;
    location / { default_type text/plain; return 200 "nginx on $hostname\n"; }
  }
}
`

// Nginx is Debian's nginx in the foreground on 0.0.0.0:80. Every page says
// "nginx on <hostname>"; requests are logged to stdout.
func Nginx(t testing.TB) v1.Image {
	t.Helper()
	return FromDebian(t, Options{
		Entrypoint: []string{"/usr/sbin/nginx", "-e", "stderr", "-c", "/etc/nginx/slipway.conf"},
		Env:        map[string]string{"PATH": systemPath}, Ports: []string{"80/tcp"}, StopSignal: "SIGQUIT",
		Files: append(accounts("www-data", 33, "/var/www"), File{Path: "/etc/nginx/slipway.conf", Content: nginxConf}),
	}, "nginx")
}

// Redis is Debian's Redis on 0.0.0.0:6379 without a password, as user redis (999).
// Its data is in /data, written on SAVE and at the end.
func Redis(t testing.TB) v1.Image {
	t.Helper()
	return FromDebian(t, Options{
		Entrypoint: []string{"/usr/bin/redis-server"},
		Cmd:        []string{"--bind", "0.0.0.0", "--protected-mode", "no", "--dir", "/data", "--daemonize", "no", "--save", "3600 1"},
		Env:        map[string]string{"PATH": systemPath}, Ports: []string{"6379/tcp"}, User: "redis", WorkingDir: "/data", Volumes: []string{"/data"},
		Files: append(accounts("redis", 999, "/data"), File{Path: "/data/", UID: 999, GID: 999}),
	}, "redis-server", "redis-tools")
}

// Postgres is Debian's PostgreSQL 15 on 0.0.0.0:5432. At its first start it makes
// an empty database in PGDATA, /var/lib/postgresql/data. POSTGRES_USER (postgres),
// POSTGRES_PASSWORD ("" = everybody is trusted) and POSTGRES_DB (the user's name)
// are those of the well-known image. It starts as root, gives PGDATA to postgres
// (999) and goes on as that user; it may be started as that user too.
func Postgres(t testing.TB) v1.Image {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	program, err := Program(filepath.Join(filepath.Dir(here), "pgstart"), v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
	if err != nil {
		t.Fatalf("postgres: %v", err)
	}
	start, err := os.ReadFile(program)
	if err != nil {
		t.Fatalf("postgres: %v", err)
	}
	return FromDebian(t, Options{
		Entrypoint: []string{"/usr/local/bin/pgstart"},
		Env:        map[string]string{"PATH": "/usr/lib/postgresql/15/bin:" + systemPath, "PGDATA": "/var/lib/postgresql/data"},
		Ports:      []string{"5432/tcp"}, Volumes: []string{"/var/lib/postgresql/data"}, StopSignal: "SIGINT",
		Files: append(accounts("postgres", 999, "/var/lib/postgresql"),
			File{Path: "/usr/local/"}, File{Path: "/usr/local/bin/"}, File{Path: "/usr/local/bin/pgstart", Content: string(start), Mode: 0o755},
			File{Path: "/var/lib/postgresql/", UID: 999, GID: 999}, File{Path: "/var/lib/postgresql/data/", UID: 999, GID: 999, Mode: 0o700}),
	}, "postgresql-15", "postgresql-client-15")
}
