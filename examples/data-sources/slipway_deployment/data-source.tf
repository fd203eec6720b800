data "slipway_deployment" "shop" {
  environment_id = "acme/production"
  prefix         = "shop"
}

output "urls" {
  value = { for name, endpoint in data.slipway_deployment.shop.endpoints : name => endpoint.url }
}
