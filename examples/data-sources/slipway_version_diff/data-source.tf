# What an upgrade from 1.4.0 to 1.5.0 changes.
data "slipway_version_diff" "upgrade" {
  from = "acme/shop/1.4.0"
  to   = "acme/shop/1.5.0"
}

output "changes" {
  value = [for c in data.slipway_version_diff.upgrade.changes : "${c.component}: ${coalesce(c.attribute, c.change)}"]
}
