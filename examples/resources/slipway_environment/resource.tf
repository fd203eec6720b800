variable "postgres_password" {
  type      = string
  sensitive = true
}

resource "slipway_team" "acme" {
  name = "acme"
}

resource "slipway_node" "here" {
  team_id = slipway_team.acme.id
  name    = "here"
  local   = {}
}

resource "slipway_environment" "staging" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = "staging"
  type    = "staging"
}

resource "slipway_environment" "production" {
  team_id   = slipway_team.acme.id
  node_id   = slipway_node.here.id
  name      = "production"
  type      = "production" # deletion_protection is on by default
  variables = { LOG_LEVEL = "info" }

  promotes_from_id = slipway_environment.staging.id # only what succeeded there may enter,
  min_soak         = "1h"                           # and served there for an hour

  secrets_wo         = { POSTGRES_PASSWORD = var.postgres_password } # write-only
  secrets_wo_version = 1                                             # raise it to send other values
}
