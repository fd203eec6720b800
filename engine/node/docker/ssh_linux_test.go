package docker_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// Everything goes over ssh: the API, the streams of commands, and connections to
// ports that are not published. A connection that was cut is made again.
func TestSSH(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	server := testdocker.NewSSHD(t)
	connection := docker.Connection{Host: "ssh://root@" + server.Address + d.Socket(),
		SSH: docker.SSH{PrivateKey: server.PrivateKey, KnownHosts: server.KnownHosts}}
	b := newBench(t, open(t, docker.Config{Connection: connection}))
	key := b.start("api-1-1", 1, engine.Component{})
	b.serving(key)
	if got := b.tool(key, "pwd"); got != "/" {
		t.Errorf("pwd says %q", got)
	}
	if info, err := b.Info(t.Context()); err != nil || info.Address != "127.0.0.1" {
		t.Errorf("%+v (%v)", info, err)
	}
	server.Restart()
	b.until("it connects again", func() bool {
		i, err := b.Inspect(t.Context(), key)
		return err == nil && i.Restarts == 0
	})
	b.serving(key)

	refused := func(what string, c docker.Connection, words ...string) {
		t.Helper()
		_, err := open(t, docker.Config{Connection: c}).Info(t.Context())
		if !errors.Is(err, engine.ErrDenied) {
			t.Fatalf("%s: %v", what, err)
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q is not in %v", what, w, err)
			}
		}
	}
	unknown := connection
	unknown.SSH.KnownHosts = strings.Replace(server.KnownHosts, "127.0.0.1", "192.0.2.1", 1)
	refused("an unknown host", unknown, "is not known")
	stranger := connection
	stranger.SSH.PrivateKey = testdocker.NewSSHD(t).PrivateKey
	refused("a strange key", stranger, "refuses user \"root\"")
	changed := testdocker.NewSSHD(t)
	connection.Host = "ssh://root@" + changed.Address + d.Socket()
	connection.SSH = docker.SSH{PrivateKey: changed.PrivateKey, KnownHosts: changed.KnownHosts}
	changed.Rekey()
	changed.Restart()
	refused("a changed host key", connection, "another key", "SHA256:")
}

// Where the server forwards no sockets, the docker program there is asked.
func TestSSHWithoutForwarding(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	server := testdocker.NewSSHD(t, "AllowStreamLocalForwarding no", "SetEnv DOCKER_HOST="+d.Host)
	b := newBench(t, open(t, docker.Config{Connection: docker.Connection{Host: "ssh://root@" + server.Address + d.Socket(),
		SSH: docker.SSH{PrivateKey: server.PrivateKey, KnownHosts: server.KnownHosts}}}))
	key := b.start("api-1-1", 1, engine.Component{})
	b.serving(key)
	if got := b.tool(key, "pwd"); got != "/" {
		t.Errorf("pwd says %q", got)
	}
}
