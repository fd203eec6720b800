# by team and name
terraform import slipway_node.here acme/here
