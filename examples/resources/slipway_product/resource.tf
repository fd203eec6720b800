resource "slipway_team" "acme" {
  name = "acme"
}

# A product with versions of its own: see slipway_version.
resource "slipway_product" "shop" {
  team_id     = slipway_team.acme.id
  name        = "shop"
  description = "The web shop"
}

# A simple product: its components are written right here, and its ref is deployed.
resource "slipway_product" "proxy" {
  team_id = slipway_team.acme.id
  name    = "proxy"
  type    = "simple"

  components = {
    nginx = {
      image = "docker.io/library/nginx:1.29"
      ports = { http = { container_port = 80, host_port = 8081 } }
    }
  }
}
