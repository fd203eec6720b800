# by team and name; the password is not read back
terraform import slipway_registry.main acme/main
