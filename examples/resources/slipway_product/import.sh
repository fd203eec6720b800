# by team and name
terraform import slipway_product.shop acme/shop
