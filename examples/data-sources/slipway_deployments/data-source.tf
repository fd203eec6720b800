data "slipway_deployments" "shop" {
  product_id = "acme/shop"
  status     = "successful"
}

output "where" {
  value = data.slipway_deployments.shop.deployments[*].environment_id
}
