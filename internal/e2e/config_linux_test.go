package e2e

// head is what every configuration begins with.
const head = `
terraform {
  required_providers {
    slipway = { source = "slipwayhq/slipway" }
  }
}

provider "slipway" {}

variable "registry" { type = string }

variable "registry_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "docker" { default = "" } # where the Engine is, for a Docker node
variable "prefix" { default = "shop" }
variable "ingress" { # of the node, null = it serves no routes
  type    = object({ http_port = number, https_port = number, image = string })
  default = null
}
`

// ground is a team with everything that a deployment needs to live on.
const ground = head + `
resource "slipway_team" "acme" { name = "acme" }

resource "slipway_node" "here" {
  team_id = slipway_team.acme.id
  name    = "here"
  local   = var.docker == "" ? {} : null
  docker  = var.docker == "" ? null : { host = var.docker }
  ingress = var.ingress
}

resource "slipway_registry" "main" {
  team_id             = slipway_team.acme.id
  name                = "main"
  url                 = "http://${var.registry}"
  username            = "ci"
  password_wo         = var.registry_password
  password_wo_version = 1
}

resource "slipway_product" "shop" {
  team_id = slipway_team.acme.id
  name    = "shop"
}

resource "slipway_environment" "staging" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = "staging"
  type    = "staging"
}
`

// shop is a product of two components: api depends on db, which has a volume.
// The release is the tag of api's image.
const shop = ground + `
variable "release" { default = "1.0.0" }
variable "healthy" { default = "200ms" }
variable "deadline" { default = "20s" }

resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = var.release
  type       = can(regex("^[0-9]", var.release)) ? "incremental" : "rolling"
  components = {
    db = {
      image         = "${var.registry}/app:db"
      ports         = { http = { container_port = 8080 } }
      volumes       = { data = { path = "/data" } }
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
    }
    api = {
      image         = "${var.registry}/app:${var.release}"
      depends_on    = ["db"]
      ports         = { http = { container_port = 8080, host_port = 0 } }
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
    }
  }
  depends_on = [slipway_registry.main]
}

resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.shop.ref
  prefix         = var.prefix
  strategy       = { min_healthy_time = var.healthy, progress_deadline = var.deadline }
}

output "url" { value = slipway_deployment.shop.endpoints["api/http"].url }
`
