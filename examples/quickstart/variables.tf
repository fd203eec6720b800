variable "release" {
  type        = string
  default     = "1.0.0"
  description = "Release of the guestbook: 1.0.0, 1.1.0, or 2.0.0-broken, which never becomes healthy."
}

variable "registry" {
  type        = string
  description = "Host and port of the registry that has the images."
}

variable "registry_password" {
  type        = string
  sensitive   = true
  ephemeral   = true
  description = "Password of the registry's user \"quickstart\"."
}
