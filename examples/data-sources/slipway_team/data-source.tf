data "slipway_team" "acme" {
  name = "acme"
}
