package acctest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Provider is the provider block for a data directory.
func Provider(dataDir string) string {
	return fmt.Sprintf("provider \"slipway\" {\n  data_dir = %q\n}\n", dataDir)
}

// Team is slipway_team.acme.
const Team = `
resource "slipway_team" "acme" {
  name = "acme"
}
`

// Node is slipway_node.here, a local one.
const Node = `
resource "slipway_node" "here" {
  team_id = slipway_team.acme.id
  name    = "here"
  local   = {}
}
`

// Product is slipway_product.shop, a complex one.
var Product = ProductOf("shop")

// ProductOf is slipway_product.shop of that name.
func ProductOf(name string) string {
	return fmt.Sprintf(`
resource "slipway_product" "shop" {
  team_id = slipway_team.acme.id
  name    = %q
}
`, name)
}

// Environment is slipway_environment.staging on slipway_node.here.
const Environment = `
resource "slipway_environment" "staging" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = "staging"
  type    = "staging"
}
`

// Registry is slipway_registry.main with a password.
func Registry(url, username, password string) string {
	return fmt.Sprintf(`
resource "slipway_registry" "main" {
  team_id             = slipway_team.acme.id
  name                = "main"
  url                 = %q
  username            = %q
  password_wo         = %q
  password_wo_version = 1
}
`, url, username, password)
}

// Version is slipway_version.shop with that name; components is the inside of
// the components map. It waits for slipway_registry.main when there is one.
func Version(name, components string) string {
	return fmt.Sprintf(`
resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = %q
  components = {
%s
  }
}
`, name, components)
}

// Deployment is slipway_deployment.shop of slipway_version.shop in
// slipway_environment.staging; more is put into its body.
func Deployment(more string) string {
	return fmt.Sprintf(`
resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.shop.ref
%s
}
`, more)
}

// Join makes one configuration of its parts.
func Join(parts ...string) string { return strings.Join(parts, "\n") }

// EngineIsEmpty is a CheckDestroy that asks the engine, not the state: nothing
// that the configuration had is left.
func EngineIsEmpty(t testing.TB, dataDir string) func(*terraform.State) error {
	return func(state *terraform.State) error {
		service := Engine(t, dataDir)
		for name, one := range state.RootModule().Resources {
			if err := absent(t.Context(), service, one.Type, one.Primary.ID); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return absent(t.Context(), service, "slipway_team", "acme")
	}
}

func absent(ctx context.Context, service engine.Service, kind, id string) error {
	var err error
	switch kind {
	case "slipway_team":
		_, err = service.Team(ctx, id)
	case "slipway_node":
		_, err = service.Node(ctx, id)
	case "slipway_registry":
		_, err = service.Registry(ctx, id)
	case "slipway_product":
		_, err = service.Product(ctx, id)
	case "slipway_version":
		_, err = service.Version(ctx, id)
	case "slipway_environment":
		_, err = service.Environment(ctx, id)
	case "slipway_deployment":
		_, err = service.Deployment(ctx, id)
	default:
		return nil
	}
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for %s %q: %w", kind, id, err)
	}
	return fmt.Errorf("%s %q is still there", kind, id)
}
