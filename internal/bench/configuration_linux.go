package main

import (
	"fmt"
	"strings"
)

// appPort is where the application listens.
const appPort = 8080

// floorConfiguration is n of the smallest resource.
func floorConfiguration(n int) string {
	return requires("floor") + fmt.Sprintf(`
resource "floor_thing" "all" {
  count = %d
  input = "r${count.index}"
}
`, n)
}

// wideFloorConfiguration is n of the smallest resource with the schema of a version.
func wideFloorConfiguration(image string, n int) string {
	return requires("floor") + versions("floor", `"acme/bench"`, image, n)
}

// versionsConfiguration is n versions of one component.
func versionsConfiguration(registry, image string, n int) string {
	return requires("slipway") + owner(registry) + versions("slipway", "slipway_product.bench.id", image, n)
}

func versions(provider, product, image string, n int) string {
	return fmt.Sprintf(`
resource "%s_version" "all" {
  count      = %d
  product_id = %s
  name       = "r${count.index}"
  type       = "rolling"
  components = {
    app = %s
  }
}
`, provider, n, product, component(image))
}

// deploymentConfiguration is a deployment of n components on a local node.
func deploymentConfiguration(registry, image string, n int) string {
	return deploymentsConfiguration(registry, "local = {}", component(image), n, n)
}

// deploymentsConfiguration is deployments of as many components each on a node, n
// components in all.
func deploymentsConfiguration(registry, node, component string, n, each int) string {
	var components strings.Builder
	for i := range each {
		fmt.Fprintf(&components, "    c%d = %s\n", i, component)
	}
	prefix := `"all"`
	if n > each {
		prefix = `"all${count.index}"`
	}
	return requires("slipway") + owner(registry) + fmt.Sprintf(`
resource "slipway_node" "here" {
  team_id = slipway_team.acme.id
  name    = "here"
  %s
}

resource "slipway_environment" "bench" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = "bench"
}

resource "slipway_version" "all" {
  product_id = slipway_product.bench.id
  name       = "all"
  type       = "rolling"
  components = {
%s  }
}

resource "slipway_deployment" "all" {
  count          = %d
  environment_id = slipway_environment.bench.id
  version        = slipway_version.all.ref
  prefix         = %s
  strategy       = { min_healthy_time = "0s" }
}
`, node, components.String(), max(1, n/each), prefix)
}

func requires(provider string) string {
	return fmt.Sprintf(`terraform {
  required_providers {
    %[1]s = { source = "slipwayhq/%[1]s" }
  }
}

provider "%[1]s" {}
`, provider)
}

func owner(registry string) string {
	return fmt.Sprintf(`
resource "slipway_team" "acme" {
  name = "acme"
}

resource "slipway_registry" "bench" {
  team_id = slipway_team.acme.id
  name    = "bench"
  url     = %q
}

resource "slipway_product" "bench" {
  team_id    = slipway_team.acme.id
  name       = "bench"
  depends_on = [slipway_registry.bench] # and so do its versions: their images are there
}
`, registry)
}

func component(image string) string {
	return fmt.Sprintf(`{ image = %q, health_checks = { up = { http = { port = %d } } } }`, image, appPort)
}
