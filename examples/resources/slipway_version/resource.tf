resource "slipway_team" "acme" {
  name = "acme"
}

resource "slipway_product" "shop" {
  team_id = slipway_team.acme.id
  name    = "shop"
}

resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = "1.4.0"
  changelog  = "Carts survive a restart"

  components = {
    db = {
      image   = "docker.io/library/postgres:17"
      secrets = ["POSTGRES_PASSWORD"]
      volumes = { data = { path = "/var/lib/postgresql/data" } }

      health_checks = {
        ready = { exec = { command = ["pg_isready", "-U", "postgres"] } }
      }
    }

    api = {
      image      = "registry.acme.dev/shop/api:1.4.0"
      depends_on = ["db"]
      replicas   = 2
      env        = { DATABASE_HOST = "db" }
      secrets    = ["POSTGRES_PASSWORD"]
      ports      = { http = { container_port = 8080, host_port = 8080 } }
      resources  = { cpu = 0.5, memory = "256Mi" }

      health_checks = {
        up = { http = { port_name = "http", path = "/healthz" } }
      }
    }
  }
}

output "digests" {
  value = slipway_version.shop.images
}
