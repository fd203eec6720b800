// Package session is what a configured provider hands to its resources and
// data sources: the engine, and what has been planned in this run.
package session

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/internal/planned"
)

// Session is one configured provider.
type Session struct {
	Engine  engine.Service
	Planned *planned.Table
}

// New starts a session with that engine.
func New(service engine.Service) *Session {
	return &Session{Engine: service, Planned: &planned.Table{}}
}

// Resource is embedded by every resource: it receives the session and guards
// the calls that need one.
type Resource struct{ *Session }

// Configure implements resource.ResourceWithConfigure. Without provider data
// (the provider's configuration is not known yet) the session stays nil.
func (r *Resource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.Session = from(req.ProviderData, &resp.Diagnostics)
}

// Ready reports whether there is an engine to talk to, and says so when not.
func (r *Resource) Ready(diags *diag.Diagnostics) bool { return ready(r.Session, diags) }

// Known reports whether a plan may ask the engine about the object: there is an
// engine, and it is the one the object lives in. Without an engine resources
// plan what they can by themselves.
func (r *Resource) Known(ctx context.Context, private Getter, diags *diag.Diagnostics) bool {
	return r.Session != nil && r.Recognise(ctx, private, diags)
}

// DataSource is embedded by every data source.
type DataSource struct{ *Session }

// Configure implements datasource.DataSourceWithConfigure.
func (d *DataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.Session = from(req.ProviderData, &resp.Diagnostics)
}

// Ready reports whether there is an engine to talk to, and says so when not.
func (d *DataSource) Ready(diags *diag.Diagnostics) bool { return ready(d.Session, diags) }

func from(data any, diags *diag.Diagnostics) *Session {
	if data == nil {
		return nil
	}
	s, ok := data.(*Session)
	if !ok {
		diags.AddError("Unexpected provider data", fmt.Sprintf("Got %T. This is a fault of the provider: please report it.", data))
	}
	return s
}

func ready(s *Session, diags *diag.Diagnostics) bool {
	if s == nil {
		diags.AddError("Provider not configured",
			"The configuration of provider \"slipway\" depends on values that are not known yet, so there is no engine to ask.\n\n"+
				"Apply what those values come from first, for example with -target.")
	}
	return s != nil
}
