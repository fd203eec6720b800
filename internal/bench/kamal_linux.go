package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// kamalVariable names a binary of basecamp/kamal-proxy.
const kamalVariable = "SLIPWAY_BENCH_KAMAL_PROXY"

// kamalProxy is the peer as a process, and what is behind it.
type kamalProxy struct {
	binary, app string
	env         []string
	log         string // file
	address     string
	proxy, old  *exec.Cmd
}

// kamal is workload W3 with processes behind kamal-proxy.
func (b *bench) kamal(ctx context.Context) (err error) {
	binary := os.Getenv(kamalVariable)
	if binary == "" {
		return cannot{kamalVariable + " names no binary of kamal-proxy"}
	}
	app, err := b.build(ctx, "/internal/testimage/app", "trial")
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "k")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	k := &kamalProxy{binary: binary, app: app, env: []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "PATH=" + os.Getenv("PATH")}, log: filepath.Join(dir, "log")}
	defer func() { err = errors.Join(err, k.close()) }()
	if err := k.start(); err != nil {
		return err
	}
	asked, err := underLoad(ctx, k.address, k.upgrade)
	if err != nil {
		return err
	}
	healthy, err := k.healthy()
	if err != nil {
		return err
	}
	b.traffics(asked, healthy)
	return nil
}

// start lets it run, its log in a file.
func (k *kamalProxy) start() error {
	out, err := os.Create(k.log)
	if err != nil {
		return err
	}
	defer out.Close() //nolint:errcheck // the process has its own
	port := freePort()
	k.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	k.proxy = exec.Command(k.binary, "run", "--http-port", strconv.Itoa(port), "--https-port", strconv.Itoa(freePort()))
	k.proxy.Env, k.proxy.Stdout, k.proxy.Stderr = k.env, out, out
	return k.proxy.Start()
}

// upgrade starts the version, lets the proxy move to it, and stops the one before.
func (k *kamalProxy) upgrade(ctx context.Context, version string) error {
	next := exec.Command(k.app)
	// Its address tells the version: 127.0.1.7 is v7's.
	target := net.JoinHostPort("127.0.1."+version[1:], strconv.Itoa(freePort()))
	next.Env = []string{"LISTEN=" + target, "VERSION=" + version}
	if err := next.Start(); err != nil {
		return err
	}
	before := k.old
	k.old = next
	if err := k.deploy(ctx, target); err != nil {
		return errors.Join(err, end(before))
	}
	return end(before)
}

// deploy asks again while the proxy itself does not answer yet.
func (k *kamalProxy) deploy(ctx context.Context, target string) error {
	for deadline := time.Now().Add(time.Minute); ; {
		cmd := exec.CommandContext(ctx, k.binary, "deploy", "shop", "--target", target, "--health-check-path", "/healthz",
			"--health-check-interval", "100ms", "--drain-timeout", "3s")
		cmd.Env = k.env
		said, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("kamal-proxy deploy: %w\n%s", err, said)
		}
	}
}

// healthy reads from the log when each version was found so.
func (k *kamalProxy) healthy() (map[string]time.Time, error) {
	text, err := os.ReadFile(k.log)
	if err != nil {
		return nil, err
	}
	found := map[string]time.Time{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var line struct {
			Time               time.Time
			Msg, Target, State string
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Msg != "Target health updated" || line.State != "healthy" {
			continue
		}
		host, _, _ := net.SplitHostPort(line.Target)
		if version := "v" + filepath.Ext(host)[1:]; version != "v0" && found[version].IsZero() {
			found[version] = line.Time
		}
	}
	return found, nil
}

func (k *kamalProxy) close() error { return errors.Join(end(k.old), end(k.proxy)) }

// end stops a process as an engine would; nil is fine.
func end(cmd *exec.Cmd) error {
	if cmd == nil || cmd.Process == nil {
		return nil
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	var ended *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &ended) {
		return err
	}
	return nil
}
