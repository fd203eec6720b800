// Package provider is the Terraform provider "slipway": its configuration, and
// the lists of what it offers.
package provider

import (
	"context"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipwayhq/terraform-provider-slipway/datasources"
	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/deployment"
	"github.com/slipwayhq/terraform-provider-slipway/resources/environment"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
	"github.com/slipwayhq/terraform-provider-slipway/resources/node"
	"github.com/slipwayhq/terraform-provider-slipway/resources/product"
	"github.com/slipwayhq/terraform-provider-slipway/resources/registry"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
	"github.com/slipwayhq/terraform-provider-slipway/resources/team"
	"github.com/slipwayhq/terraform-provider-slipway/resources/version"
)

// OpenFunc opens the engine of a configuration.
type OpenFunc func(ctx context.Context, cfg Config) (engine.Service, error)

// Provider is the provider "slipway".
type Provider struct {
	version string
	engines *engines
	session atomic.Pointer[session.Session] // nil until it is configured
}

// New makes providers of that version that open engines with open. An engine is
// opened once for each configuration, however often Terraform configures the
// provider in this process.
func New(version string, open OpenFunc) func() provider.Provider {
	made := newProviders(version, open)
	return func() provider.Provider { return made() }
}

func newProviders(version string, open OpenFunc) func() *Provider {
	shared := &engines{open: open}
	return func() *Provider { return &Provider{version: version, engines: shared} }
}

// Metadata implements provider.Provider.
func (p *Provider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "slipway"
	resp.Version = p.version
}

// Schema implements provider.Provider.
func (p *Provider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Slipway runs products on nodes: it pulls their images, starts them, proves them healthy, moves the traffic, " +
			"and puts the last good version back when anything fails. The engine is in the provider; its data is in a directory.",
		Attributes: map[string]schema.Attribute{
			"data_dir": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Directory of the engine's data; a relative one starts at the working directory. " +
					"Keep it: it is what the state refers to. Environment variable `SLIPWAY_DATA_DIR`. Default `.slipway`.",
			},
			"encryption_key": schema.StringAttribute{
				Optional:  true,
				Sensitive: true,
				MarkdownDescription: "age identity (`AGE-SECRET-KEY-1…`) that secrets are encrypted with. " +
					"Environment variable `SLIPWAY_ENCRYPTION_KEY`. Default: a key file in `data_dir` that only its owner may read.",
			},
			"allow_ephemeral_data_dir": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Allow `data_dir` on a hosted runner, whose disk is usually lost after the run. " +
					"Environment variable `SLIPWAY_ALLOW_EPHEMERAL_DATA_DIR`. Default `false`.",
			},
		},
	}
}

// Configure implements provider.Provider. While a value is not known yet there
// is no engine, and no error: resources then plan what they can by themselves.
func (p *Provider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var written attributes
	resp.Diagnostics.Append(req.Config.Get(ctx, &written)...)
	if resp.Diagnostics.HasError() || written.unknown() {
		return
	}
	cfg, diags := written.resolve(system)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	service, err := p.engines.get(ctx, cfg)
	if err != nil {
		for _, problem := range fwdiag.From(fwdiag.Op{Verb: "Open", Noun: "engine", ID: cfg.DataDir}, err) {
			resp.Diagnostics.AddAttributeError(path.Root("data_dir"), problem.Summary(), problem.Detail())
		}
		return
	}
	service.BeginRun(run())
	s := session.New(service)
	p.session.Store(s)
	resp.ResourceData, resp.DataSourceData = s, s
}

// Resources implements provider.Provider.
func (p *Provider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		deployment.New,
		environment.New,
		node.New,
		product.New,
		registry.New,
		team.New,
		version.New,
	}
}

// DataSources implements provider.Provider.
func (p *Provider) DataSources(context.Context) []func() datasource.DataSource {
	return datasources.All()
}
