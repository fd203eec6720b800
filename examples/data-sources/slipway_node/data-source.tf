data "slipway_node" "here" {
  id = "acme/here"
}

output "ready" {
  value = data.slipway_node.here.status == "ready"
}
