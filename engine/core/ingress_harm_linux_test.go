package core_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// isKilled ends the proxies' processes: they come back by themselves, with what
// they had.
func (x *gate) isKilled() {
	x.Helper()
	for _, pid := range x.proxies() {
		x.must(syscall.Kill(pid, syscall.SIGKILL))
	}
	x.answersAgain("2")
}

// isTurned changes the router by hand, inside its instance, which a look at the
// node tells and an apply mends.
func (x *gate) isTurned() {
	x.Helper()
	turned := 0
	for _, pid := range x.proxies() {
		inside := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", fmt.Sprintf("/proc/%d/root/run/caddy/admin.sock", pid))
		}}}
		req, err := http.NewRequestWithContext(x.Context(), http.MethodDelete, "http://localhost/config/apps/http/servers/router", nil)
		x.must(err)
		answer, err := inside.Do(req)
		x.must(err)
		x.must(answer.Body.Close())
		if answer.StatusCode == http.StatusOK {
			turned++
		}
	}
	status, err := x.engine.NodeStatus(x.Context(), "acme/here")
	x.must(err)
	if want := "slipway-router: it does not have the routes that it should"; turned != 1 || !slices.Equal(status.Drift, []string{want}) {
		x.Errorf("%d proxies were changed by hand; the node tells %q", turned, status.Drift)
	}
	_, err = x.engine.UpdateNode(x.Context(), x.node)
	x.must(err)
	x.serves("2")
	if status, err = x.engine.NodeStatus(x.Context(), "acme/here"); err != nil || len(status.Drift) > 0 {
		x.Errorf("after it was mended the node tells %q, %v", status.Drift, err)
	}
}

// proxies are the processes of this node's ingress: the front listens on its port,
// and all of them have the same token.
func (x *gate) proxies() []int {
	x.Helper()
	token := ""
	environments := map[int]string{}
	all, err := filepath.Glob("/proc/[0-9]*/comm")
	x.must(err)
	for _, path := range all {
		name, _ := os.ReadFile(path)
		dir := filepath.Dir(path)
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || strings.TrimSpace(string(name)) != "caddy" {
			continue
		}
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		for _, variable := range strings.Split(string(environment), "\x00") {
			if strings.HasPrefix(variable, "SLIPWAY_INGRESS_TOKEN=") {
				environments[pid] = variable
			}
		}
		sockets, _ := os.ReadFile(filepath.Join(dir, "net", "tcp6"))
		if strings.Contains(string(sockets), fmt.Sprintf(":%04X ", x.port)) {
			token = environments[pid]
		}
	}
	var own []int
	for pid, has := range environments {
		if has == token && token != "" {
			own = append(own, pid)
		}
	}
	if len(own) != 2 {
		x.Fatalf("the ingress has the processes %v, want two", own)
	}
	return own
}

// answersAgain waits until visitors meet the version.
func (x *gate) answersAgain(version string) {
	x.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		status, body, err := x.visit("shop.test", "/")
		switch {
		case err == nil && status == http.StatusOK && strings.Contains(body, version):
			return
		case time.Now().After(deadline):
			x.Fatalf("visitors get %d %q %v", status, body, err)
		}
	}
}

// isReplaced gives the ingress another image. Where published ports can move no
// visitor notices.
func (x *gate) isReplaced() {
	x.Helper()
	n := x.node
	other := *n.Ingress
	other.Image = strings.TrimSuffix(other.Image, "2") + "3"
	n.Ingress = &other
	done := make(chan error, 1)
	go func() {
		_, err := x.engine.UpdateNode(x.Context(), n)
		done <- err
	}()
	for {
		select {
		case err := <-done:
			x.must(err)
			x.answersAgain("2")
			return
		default:
			if status, _, err := x.visit("shop.test", "/"); n.Kind == engine.NodeLocal && (err != nil || status != http.StatusOK) {
				x.Errorf("while the ingress was replaced a visitor got %d %v", status, err)
			}
		}
	}
}

// outlivesLosses repairs the ingress while nothing behind it is there, and then
// what is behind it.
func (x *gate) outlivesLosses(d engine.Deployment) {
	x.Helper()
	if x.lose == nil {
		return
	}
	x.lose()
	_, err := x.engine.UpdateNode(x.Context(), x.node)
	x.must(err)
	d.Version = x.refs["2.0.0"]
	_, err = x.engine.UpdateDeployment(x.Context(), d, nil)
	x.must(err)
	x.serves("2")
}
