# by team and name; secrets are not read back
terraform import slipway_environment.production acme/production
