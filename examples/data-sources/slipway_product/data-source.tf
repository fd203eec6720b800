data "slipway_product" "shop" {
  team_id = "acme"
  name    = "shop"
}
