data "slipway_environment" "production" {
  team_id = "acme"
  name    = "production"
}
