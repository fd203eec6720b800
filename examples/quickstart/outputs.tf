output "url" {
  value       = slipway_deployment.guestbook.endpoints["app/http"].url
  description = "Where the guestbook answers."
}

output "release" {
  value       = slipway_deployment.guestbook.version
  description = "What is deployed: the version and the digest of its content."
}

output "images" {
  value       = slipway_version.guestbook.images
  description = "The digests that run."
}

output "changes" {
  value       = slipway_deployment.guestbook.changes
  description = "What the last apply did to each component."
}
