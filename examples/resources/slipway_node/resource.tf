resource "slipway_team" "acme" {
  name = "acme"
}

# This machine, without Docker. Published ports listen on every address.
resource "slipway_node" "here" {
  team_id = slipway_team.acme.id
  name    = "here"
  labels  = { zone = "cellar" }

  local = {
    address = "0.0.0.0"
  }

  image_retention = {
    keep_versions = 5
  }
}
