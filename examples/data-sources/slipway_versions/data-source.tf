# Follow the newest 1.x version of a product that another team publishes.
data "slipway_versions" "shop" {
  product_id = "acme/shop"
  constraint = "~1"
}

output "newest" {
  value = data.slipway_versions.shop.versions[0].ref
}
