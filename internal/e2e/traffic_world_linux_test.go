package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/internal/load"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// openIngress lets the node have an ingress, and answers where the shop is then:
// without TLS, with a certificate of its own, and with one of the ingress's.
func (w *world) openIngress() []load.Target {
	w.t.Helper()
	pushCaddy(w.t)
	plain, secure := testdocker.FreePort(w.t), testdocker.FreePort(w.t)
	w.set("ingress", fmt.Sprintf(`{ "http_port": %s, "https_port": %s, "image": "%s/caddy:test" }`, portOf(plain), portOf(secure), registry.URL()))
	certificate, key, err := testimage.SelfSigned("own.test")
	if err != nil {
		w.t.Fatal(err)
	}
	w.set("certificate", string(certificate))
	w.set("private_key", string(key))
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificate)
	own := &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
	inner := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // the ingress is its own authority
	return []load.Target{
		{URL: "http://shop.test", Address: plain},
		{URL: "https://own.test", Address: secure, TLS: own},
		{URL: "https://own.test", Address: secure, TLS: own, HTTP2: true},
		{URL: "https://inner.test", Address: secure, TLS: inner, HTTP2: true},
	}
}

func portOf(address string) string {
	_, port, _ := strings.Cut(address, ":")
	return port
}

var caddyPushed sync.Once

// pushCaddy offers the proxy at the registry: it is large, and few tests want it.
func pushCaddy(t testing.TB) {
	t.Helper()
	caddyPushed.Do(func() {
		image, err := testimage.BuildCaddy(testimage.Options{})
		if err == nil {
			_, err = registry.Store("caddy:test", image)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// busy is a shop behind the node's ingress, with a neighbour.
const busy = ground + `
variable "release" { default = "1.0.0" }
variable "replicas" { default = 1 }
variable "path" { default = "/a" }
variable "deadline" { default = "1m" }

variable "strategy" {
  type = object({
    type         = optional(string)
    keep_old_for = optional(string)
    canary       = optional(object({ steps = list(object({ weight = number, pause = string })), min_requests = number }))
  })
  default = {}
}
variable "settings" { # of the routes, of versions that may change
  type = object({
    timeout          = optional(string)
    max_body_size    = optional(string)
    request_headers  = optional(map(string))
    response_headers = optional(map(string))
    sticky           = optional(object({}))
  })
  default = {}
}

variable "certificate" {
  type      = string
  ephemeral = true
}
variable "private_key" {
  type      = string
  ephemeral = true
}

locals {
  sealed = can(regex("^[0-9]", var.release))
  route  = { for name, value in var.settings : name => local.sealed ? null : value }
}

resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = var.release
  type       = local.sealed ? "incremental" : "rolling"
  components = {
    api = {
      image         = "${var.registry}/app:${var.release}"
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
      routes = {
        plain = {
          host = "shop.test", port = 8080
          timeout = local.route.timeout, max_body_size = local.route.max_body_size, sticky = local.route.sticky
          request_headers = local.route.request_headers, response_headers = local.route.response_headers
        }
        own = {
          host = "own.test", port = 8080, tls = { certificate_secret = "CERTIFICATE", private_key_secret = "KEY" }
          timeout = local.route.timeout, max_body_size = local.route.max_body_size, sticky = local.route.sticky
          request_headers = local.route.request_headers, response_headers = local.route.response_headers
        }
        inner = {
          host = "inner.test", port = 8080, tls = { issuer = "internal" }
          timeout = local.route.timeout, max_body_size = local.route.max_body_size, sticky = local.route.sticky
          request_headers = local.route.request_headers, response_headers = local.route.response_headers
        }
      }
    }
  }
  depends_on = [slipway_registry.main]
}

resource "slipway_deployment" "shop" {
  environment_id     = slipway_environment.staging.id
  version            = slipway_version.shop.ref
  prefix             = var.prefix
  secrets_wo         = { CERTIFICATE = var.certificate, KEY = var.private_key }
  secrets_wo_version = 1
  components         = { api = { replicas = var.replicas } }
  strategy           = merge({ min_healthy_time = "500ms", progress_deadline = var.deadline, drain_timeout = "4s" }, var.strategy)
}

resource "slipway_version" "neighbour" {
  product_id = slipway_product.shop.id
  name       = "neighbour"
  type       = "rolling"
  components = {
    side = {
      image         = "${var.registry}/app:1.0.0"
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
      routes        = { web = { host = "neighbour.test", path_prefix = var.path, port = 8080 } }
    }
  }
  depends_on = [slipway_registry.main]
}

resource "slipway_deployment" "neighbour" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.neighbour.ref
  prefix         = "${var.prefix}-neighbour"
  strategy       = { min_healthy_time = "0s" }
}
`
