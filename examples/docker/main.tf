# A Docker host over ssh, and one component that uses what only containers have.

variable "docker_host" {
  type    = string
  default = "ssh://deploy@docker.acme.dev"
}

resource "slipway_team" "acme" {
  name = "acme"
}

resource "slipway_node" "cellar" {
  team_id = slipway_team.acme.id
  name    = "cellar"

  docker = {
    host               = var.docker_host
    allowed_host_paths = ["/srv/shop"]
    allowed_devices    = ["/dev/fuse"]
  }
}

resource "slipway_environment" "production" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.cellar.id
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
      image = "docker.io/library/nginx:1.29"
      ports = { http = { container_port = 8080, host_port = 8080 } }

      dns      = { servers = ["10.0.0.53"], search = ["acme.internal"], options = ["ndots:2"] }
      networks = ["backend"] # docker network create backend
      sysctls  = { "net.core.somaxconn" = "1024" }
      devices  = { "/dev/fuse" = { source = "/dev/fuse", permissions = "rw" } }
      ulimits  = { nofile = { soft = 65536, hard = 65536 } }
      init     = true

      logging = { driver = "local", max_size = "20Mi", max_files = 5 }

      volumes = {
        cache = {
          path           = "/var/cache/shop"
          driver_options = { type = "tmpfs", device = "tmpfs", o = "size=64m" }
        }
      }

      security = { capabilities_drop = ["ALL"], capabilities_add = ["NET_BIND_SERVICE", "CHOWN", "SETUID", "SETGID"] }
    }
  }
}

resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.production.id
  version        = slipway_version.shop.ref
  prefix         = "shop"
}
