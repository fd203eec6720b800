# The steps of the last run that failed.
data "slipway_operations" "failed" {
  deployment_id = "acme/production/shop"
  status        = "failed"
  limit         = 1
}

output "steps" {
  value = [for s in flatten(data.slipway_operations.failed.operations[*].steps) : "${s.name}: ${s.status}"]
}
