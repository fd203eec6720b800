package core_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// pipe is a connection of a TCP route.
type pipe struct {
	net.Conn
	in *bufio.Reader
}

func (x *gate) pipe() pipe {
	x.Helper()
	var d net.Dialer
	conn, err := d.DialContext(x.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", x.tcpPort))
	x.must(err)
	x.Cleanup(func() { _ = conn.Close() })
	return pipe{Conn: conn, in: bufio.NewReader(conn)}
}

// ask tells which version is at the other end.
func (p pipe) ask() (string, error) {
	if _, err := io.WriteString(p, "GET / HTTP/1.1\r\nHost: pipe\r\n\r\n"); err != nil {
		return "", err
	}
	answer, err := http.ReadResponse(p.in, nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.Header.Get("App-Version"), err
}

// keepsConnections holds connections of a TCP route while versions come: they stay
// where they began, until they end or their time is up.
func (x *gate) keepsConnections(image string) {
	x.Helper()
	ctx := x.Context()
	_, err := x.engine.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: "pipe", Type: engine.ProductComplex})
	x.must(err)
	d := engine.Deployment{EnvironmentID: "acme/test", Prefix: "pipe", Strategy: engine.DefaultStrategy}
	d.Strategy.MinHealthyTime = "0s"
	for _, tag := range []string{"1", "2"} {
		made, err := x.engine.CreateVersion(ctx, engine.Version{
			ProductID: "acme/pipe", Name: tag + ".0.0", Type: engine.VersionIncremental, Status: engine.VersionActive,
			Components: map[string]engine.Component{"web": {
				Image: image + tag, Routes: map[string]engine.Route{"raw": {Protocol: engine.RouteTCP, ListenPort: x.tcpPort, Port: 8080}},
			}},
		})
		x.must(err)
		x.refs["pipe "+tag] = made.Ref
	}
	d.Version = x.refs["pipe 1"]
	_, err = x.engine.CreateDeployment(ctx, d, nil)
	x.must(err)

	d.Version, d.Strategy.DrainTimeout = x.refs["pipe 2"], "10m"
	old, brought := x.pipe(), x.bring(d)
	x.outlasts(old, "1", brought)
	x.must(old.Close())
	x.must(<-brought)

	d.Version, d.Strategy.DrainTimeout = x.refs["pipe 1"], "500ms"
	old = x.pipe()
	if got, err := old.ask(); got != "2" || err != nil {
		x.Errorf("before the return a connection meets %q, %v", got, err)
	}
	x.must(<-x.bring(d))
	if got, err := old.ask(); err == nil {
		x.Errorf("after drain_timeout a connection meets %q", got)
	}
	x.must(x.engine.DeleteDeployment(ctx, "acme/test/pipe"))
}

func (x *gate) bring(d engine.Deployment) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := x.engine.UpdateDeployment(context.WithoutCancel(x.Context()), d, nil)
		done <- err
	}()
	return done
}

// outlasts holds a connection until new ones meet another version, and then for as
// long as an instance would need to stop.
func (x *gate) outlasts(old pipe, version string, brought <-chan error) {
	x.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for moved := 0; moved < 50; <-tick.C {
		if got, err := old.ask(); got != version || err != nil {
			x.Fatalf("a connection that is held meets %q, %v", got, err)
		}
		fresh := x.pipe()
		switch got, err := fresh.ask(); {
		case err == nil && got != version:
			moved++
		case time.Now().After(deadline):
			x.Fatalf("new connections meet %q, %v", got, err)
		}
		x.must(fresh.Close())
		select {
		case err := <-brought:
			x.Fatalf("the operation ended over an open connection: %v", err)
		default:
		}
	}
}
