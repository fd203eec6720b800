package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// peerVariable names a binary of kreuzwerker/docker, version 4.
const peerVariable = "SLIPWAY_BENCH_DOCKER_PROVIDER"

// peerVersion is the version under which the mirror has it.
const peerVersion = "4.99.0"

// peerPath is where the mirror has it.
func peerPath(host string) string {
	return filepath.Join(host, "kreuzwerker", "docker", peerVersion, runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-docker_v"+peerVersion)
}

// dockerPeer runs both providers on the same Docker Engine, with the same image
// and the same check, which Docker carries out: the peer knows no other.
func (b *bench) dockerPeer(ctx context.Context) error {
	binary := os.Getenv(peerVariable)
	if binary == "" {
		return cannot{peerVariable + " names no binary of kreuzwerker/docker"}
	}
	d, err := b.openDocker(ctx)
	if err != nil {
		return err
	}
	if err := b.linkPeer(binary); err != nil {
		return err
	}
	b.columns("peer")
	for _, n := range b.containers {
		if err := b.againstPeer(ctx, d, n); err != nil {
			return err
		}
	}
	return nil
}

// linkPeer puts the binary into the mirror, once.
func (b *bench) linkPeer(binary string) error {
	link := filepath.Join(b.dir, "m", peerPath(hosts[0]))
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		return err
	}
	if err := os.Symlink(binary, link); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

func (b *bench) againstPeer(ctx context.Context, d *dockerWorld, n int) (err error) {
	node := fmt.Sprintf("docker = { host = %q }", d.daemon.Host)
	ours, err := b.project(ctx, fmt.Sprintf("own%d", n), deploymentsConfiguration(b.registry(), node, checkedComponent(b.image), n, n))
	if err != nil {
		return err
	}
	peer, err := b.project(ctx, fmt.Sprintf("peer%d", n), peerConfiguration(d.daemon.Host, onNode(d.pinned), n))
	if err != nil {
		return err
	}
	both := []project{ours, peer}
	defer func() {
		for _, p := range both {
			_, gone := p.run(context.WithoutCancel(ctx), "destroy", "-auto-approve")
			err = errors.Join(err, gone)
		}
	}()
	created, err := b.compare(ctx, d.applying(ours), d.applying(peer))
	if err != nil {
		return err
	}
	b.report.compare(fmt.Sprintf("create %d", n), created, "<= 1.00")
	for _, p := range both {
		if _, err := p.run(ctx, "apply", "-auto-approve"); err != nil {
			return err
		}
	}
	planned, err := b.compare(ctx, d.planning(ours), d.planning(peer))
	if err != nil {
		return err
	}
	b.report.compare(fmt.Sprintf("plan %d", n), planned, "<= 0.10 of 400")
	return nil
}

// applying creates all of a project, and destroys it again once it was measured.
func (d *dockerWorld) applying(p project) side {
	return func(ctx context.Context) (stats.Cost, error) {
		spent, err := d.beside(ctx, func(ctx context.Context) (stats.Cost, error) { return p.run(ctx, "apply", "-auto-approve") })
		_, gone := p.run(context.WithoutCancel(ctx), "destroy", "-auto-approve")
		return spent, errors.Join(err, gone)
	}
}

func (d *dockerWorld) planning(p project) side {
	return func(ctx context.Context) (stats.Cost, error) { return d.beside(ctx, p.plan) }
}

// checkedComponent has a check inside the container.
func checkedComponent(image string) string {
	return fmt.Sprintf(`{ image = %q, health_checks = { up = { exec = { command = ["/app", "check"] }, interval = "1s" } } }`, image)
}

func peerConfiguration(host, image string, n int) string {
	return fmt.Sprintf(`terraform {
  required_providers {
    docker = { source = "kreuzwerker/docker" }
  }
}

provider "docker" {
  host = %q
}

resource "docker_network" "bench" {
  name = "peer"
}

resource "docker_container" "all" {
  count = %d
  name  = "peer-${count.index}"
  image = %q
  wait  = true

  networks_advanced {
    name = docker_network.bench.name
  }

  healthcheck {
    test     = ["CMD", "/app", "check"]
    interval = "1s"
  }
}
`, host, n, image)
}
