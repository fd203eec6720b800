data "slipway_image" "nginx" {
  reference = "docker.io/library/nginx:1.29"
}

output "nginx" {
  value = data.slipway_image.nginx.digest
}
