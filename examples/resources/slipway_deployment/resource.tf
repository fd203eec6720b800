resource "slipway_team" "acme" {
  name = "acme"
}

resource "slipway_node" "here" {
  team_id = slipway_team.acme.id
  name    = "here"
  local   = {}
}

resource "slipway_environment" "production" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = "production"
  type    = "production"
}

resource "slipway_product" "shop" {
  team_id = slipway_team.acme.id
  name    = "shop"
}

resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = "1.4.0"

  components = {
    web = {
      image = "registry.acme.dev/shop/web:1.4.0"
      ports = { http = { container_port = 8080, host_port = 0 } } # 0: one is chosen
    }
  }
}

resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.production.id
  version        = slipway_version.shop.ref # another ref is a rollout
  variables      = { FEATURE_CART = "on" }

  components = {
    web = { replicas = 3 } # instead of the version's
  }

  strategy = {
    min_healthy_time  = "10s"
    progress_deadline = "3m"
  }

  timeouts = {
    create = "10m"
  }
}

output "url" {
  value = slipway_deployment.shop.endpoints["web/http"].url
}
