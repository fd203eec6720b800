variable "registry_password" {
  type      = string
  sensitive = true
}

resource "slipway_team" "acme" {
  name = "acme"
}

resource "slipway_registry" "main" {
  team_id             = slipway_team.acme.id
  name                = "main"
  url                 = "registry.acme.dev"
  username            = "ci"
  password_wo         = var.registry_password # write-only: never in state
  password_wo_version = 1                     # raise it to send another password
}
