# When was production last changed, and to what?
data "slipway_revisions" "shop" {
  deployment_id = "acme/production/shop"
}

output "history" {
  value = [for r in data.slipway_revisions.shop.revisions : "${r.number}: ${r.version_name} ${r.status} at ${r.started_at}"]
}
