# A guestbook in two components on this machine: the application, twice, and the
# store that remembers for it. `make quickstart` in the repository runs this.

terraform {
  required_version = ">= 1.11"
  required_providers {
    slipway = {
      source  = "slipwayhq/slipway"
      version = "0.1.0"
    }
  }
}

provider "slipway" {} # the engine keeps its data in ./.slipway

resource "slipway_team" "demo" {
  name        = "demo"
  description = "Owns everything in the quickstart"
}

resource "slipway_node" "here" {
  team_id = slipway_team.demo.id
  name    = "here"
  local   = {}
}

resource "slipway_registry" "local" {
  team_id             = slipway_team.demo.id
  name                = "local"
  url                 = "http://${var.registry}"
  username            = "quickstart"
  password_wo         = var.registry_password # write-only: in no state and in no plan
  password_wo_version = 1
}

resource "slipway_product" "guestbook" {
  team_id     = slipway_team.demo.id
  name        = "guestbook"
  description = "Counts its visitors"
}

resource "slipway_version" "guestbook" {
  product_id = slipway_product.guestbook.id
  name       = var.release
  type       = "incremental"
  changelog  = "Guestbook ${var.release}"

  components = {
    store = {
      image = "${var.registry}/store:1.0.0"
      ports = { http = { container_port = 7070 } }
      volumes = {
        data = { path = "/data", on_destroy = "delete" }
      }
      health_checks = {
        writable = { http = { port = 7070, path = "/healthz" } }
      }
    }

    app = {
      image      = "${var.registry}/guestbook:${var.release}"
      depends_on = ["store"]
      replicas   = 2
      env        = { STORE_URL = "http://store:7070" } # components reach each other by name
      ports = {
        http = { container_port = 8080, host_port = 0 } # 0: a free port is chosen and kept
      }
      health_checks = {
        ready = { http = { port = 8080, path = "/healthz" } }
      }
    }
  }

  # The registry's credentials must be there when the images are resolved.
  depends_on = [slipway_registry.local]
}

resource "slipway_environment" "demo" {
  team_id = slipway_team.demo.id
  node_id = slipway_node.here.id
  name    = "demo"
  type    = "development"
}

resource "slipway_deployment" "guestbook" {
  environment_id = slipway_environment.demo.id
  version        = slipway_version.guestbook.ref

  strategy = {
    min_healthy_time  = "2s"
    progress_deadline = "20s"
  }
}
