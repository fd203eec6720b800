package provider_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/provider"
)

func server(t *testing.T) tfprotov6.ProviderServer {
	t.Helper()
	open := func(context.Context, provider.Config) (engine.Service, error) {
		t.Error("the engine was opened")
		return nil, engine.ErrUnavailable
	}
	return providerserver.NewProtocol6(provider.New("test", open)())()
}

func TestSchemasAreValidAndDescribed(t *testing.T) {
	resp, err := server(t).GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range resp.Diagnostics {
		t.Errorf("%s: %s", problem.Summary, problem.Detail)
	}
	wantResources := []string{
		"slipway_deployment", "slipway_environment", "slipway_node", "slipway_product",
		"slipway_registry", "slipway_team", "slipway_version",
	}
	if diff := cmp.Diff(wantResources, slices.Sorted(maps.Keys(resp.ResourceSchemas))); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	wantSources := slices.Sorted(slices.Values(append(wantResources,
		"slipway_deployments", "slipway_image", "slipway_operations", "slipway_revisions", "slipway_version_diff", "slipway_versions")))
	if diff := cmp.Diff(wantSources, slices.Sorted(maps.Keys(resp.DataSourceSchemas))); diff != "" {
		t.Errorf("data sources (-want +got):\n%s", diff)
	}
	described(t, "provider", resp.Provider.Block.Attributes)
	for name, schema := range resp.ResourceSchemas {
		described(t, name, schema.Block.Attributes)
	}
	for name, schema := range resp.DataSourceSchemas {
		described(t, "data "+name, schema.Block.Attributes)
	}
}

// described demands a description of every attribute, however deep.
func described(t *testing.T, where string, attributes []*tfprotov6.SchemaAttribute) {
	t.Helper()
	for _, attribute := range attributes {
		at := where + "." + attribute.Name
		if attribute.Description == "" {
			t.Errorf("%s has no description", at)
		}
		if attribute.NestedType != nil {
			described(t, at, attribute.NestedType.Attributes)
		}
	}
}

func TestSecretsAreWriteOnly(t *testing.T) {
	resp, err := server(t).GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for resource, name := range map[string]string{
		"slipway_registry": "password_wo", "slipway_environment": "secrets_wo", "slipway_deployment": "secrets_wo",
	} {
		i := slices.IndexFunc(resp.ResourceSchemas[resource].Block.Attributes, func(a *tfprotov6.SchemaAttribute) bool { return a.Name == name })
		if i < 0 {
			t.Errorf("%s has no %s", resource, name)
			continue
		}
		if a := resp.ResourceSchemas[resource].Block.Attributes[i]; !a.WriteOnly || !a.Sensitive {
			t.Errorf("%s.%s: write-only %v, sensitive %v, want both", resource, name, a.WriteOnly, a.Sensitive)
		}
	}
}
