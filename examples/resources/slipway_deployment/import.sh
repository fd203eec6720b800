# by team, environment and prefix
terraform import slipway_deployment.shop acme/production/shop
