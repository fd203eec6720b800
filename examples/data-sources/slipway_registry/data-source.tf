data "slipway_registry" "main" {
  team_id = "acme"
  name    = "main"
}
