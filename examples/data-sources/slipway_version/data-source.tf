data "slipway_version" "shop" {
  product_id = "acme/shop"
  name       = "1.4.0"
}

output "digests" {
  value = data.slipway_version.shop.images
}
