resource "slipway_team" "acme" {
  name        = "acme"
  description = "Everything that Acme runs"
}
