package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/internal/load"
)

// composeVariable names a binary of docker-compose, version 2 or newer.
const composeVariable = "SLIPWAY_BENCH_COMPOSE"

// peerUnderLoad is workload W3 with the other provider: a container whose port is
// published, replaced by apply.
func (b *bench) peerUnderLoad(ctx context.Context) error {
	return b.published(ctx, peerVariable, func(d *dockerWorld, image string, port int) (upgrade, end func(context.Context, string) error, err error) {
		if err := b.linkPeer(os.Getenv(peerVariable)); err != nil {
			return nil, nil, err
		}
		p, err := b.project(ctx, "peerload", peerService(d.daemon.Host, image, port))
		terraform := func(ctx context.Context, command, version string) error {
			_, err := p.run(ctx, command, "-auto-approve", "-var", "release="+version)
			return err
		}
		return func(ctx context.Context, version string) error { return terraform(ctx, "apply", version) },
			func(ctx context.Context, version string) error { return terraform(ctx, "destroy", version) }, err
	})
}

// composeUnderLoad is the same with Docker Compose.
func (b *bench) composeUnderLoad(ctx context.Context) error {
	return b.published(ctx, composeVariable, func(d *dockerWorld, image string, port int) (upgrade, end func(context.Context, string) error, err error) {
		dir := filepath.Join(b.dir, "compose")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, err
		}
		compose := func(ctx context.Context, version string, args ...string) error {
			var said bytes.Buffer
			cmd := exec.CommandContext(ctx, os.Getenv(composeVariable), args...)
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &said, &said
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "DOCKER_HOST=" + d.daemon.Host, "RELEASE=" + version}
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("docker-compose %s: %w\n%s", args[0], err, said.Bytes())
			}
			return nil
		}
		return func(ctx context.Context, version string) error {
				return compose(ctx, version, "up", "--detach", "--wait")
			},
			func(ctx context.Context, version string) error { return compose(ctx, version, "down") },
			os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(composeService(image, port)), 0o600)
	})
}

// open prepares a peer on an Engine that has the image, and answers how the service
// at the port comes to a version, and how it ends.
type open func(d *dockerWorld, image string, port int) (upgrade, end func(ctx context.Context, version string) error, err error)

// published lets the peer that the variable names upgrade a published container.
func (b *bench) published(ctx context.Context, variable string, with open) (err error) {
	if os.Getenv(variable) == "" {
		return cannot{variable + " names no binary"}
	}
	d, err := b.openDocker(ctx)
	if err != nil {
		return err
	}
	host, _, _ := strings.Cut(b.image, "/")
	image, err := b.publish(ctx, host+"/bench/trial:1", "/internal/testimage/app")
	if err != nil {
		return err
	}
	pulled, err := d.api.ImagePull(ctx, image, client.ImagePullOptions{})
	if err == nil {
		err = pulled.Wait(ctx)
	}
	if err != nil {
		return err
	}
	port := freePort()
	upgrade, end, err := with(d, image, port)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end(context.WithoutCancel(ctx), "none")) }()
	asked, err := underLoad(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), upgrade)
	if err != nil {
		return err
	}
	b.lost(asked, trafficUpgrades)
	return nil
}

// underLoad upgrades what answers at the address while it is asked.
func underLoad(ctx context.Context, address string, upgrade func(ctx context.Context, version string) error) (load.Report, error) {
	if err := upgrade(ctx, "v0"); err != nil {
		return load.Report{}, err
	}
	asked := load.Start(load.Target{URL: "http://" + trafficHost, Address: address}, trafficMix)
	defer asked.Stop()
	if err := answeredBy(ctx, asked, "v0"); err != nil {
		return load.Report{}, err
	}
	for i := range trafficUpgrades {
		version := fmt.Sprintf("v%d", i+1)
		if err := upgrade(ctx, version); err != nil {
			return load.Report{}, err
		}
		if err := answeredBy(ctx, asked, version); err != nil {
			return load.Report{}, err
		}
	}
	return asked.Stop(), nil
}

func peerService(host, image string, port int) string {
	return fmt.Sprintf(`terraform {
  required_providers {
    docker = { source = "kreuzwerker/docker" }
  }
}

provider "docker" {
  host = %q
}

variable "release" { type = string }

resource "docker_network" "web" {
  name = "peer-web"
}

resource "docker_container" "web" {
  name  = "peer-web"
  image = %q
  env   = ["VERSION=${var.release}"]

  networks_advanced {
    name = docker_network.web.name
  }

  ports {
    ip       = "127.0.0.1"
    internal = %d
    external = %d
  }
}
`, host, image, appPort, port)
}

func composeService(image string, port int) string {
	return fmt.Sprintf(`name: peer
services:
  web:
    image: %s
    environment: { VERSION: "${RELEASE}" }
    ports: ["127.0.0.1:%d:%d"]
`, image, port, appPort)
}
