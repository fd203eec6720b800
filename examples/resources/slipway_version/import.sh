# by team, product and name
terraform import slipway_version.shop acme/shop/1.4.0
