terraform {
  required_providers {
    slipway = {
      source = "slipwayhq/slipway"
    }
  }
}

provider "slipway" {
  data_dir = "/var/lib/slipway" # default: .slipway in the working directory
}
