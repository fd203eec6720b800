// Package datasources holds the provider's data sources. An object that does
// not exist is an error that says what was looked for, and by which key.
package datasources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

// All makes the data sources, in the order of their names.
func All() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		newDeployment,
		newDeployments,
		newEnvironment,
		newImage,
		newNode,
		newOperations,
		newProduct,
		newRegistry,
		newRevisions,
		newTeam,
		newVersion,
		newVersionDiff,
		newVersions,
	}
}

// key is how an object is looked for: by id, or by its owner's id and its name.
type key struct {
	noun   string       // team, node, …
	parts  int          // of an id
	owner  string       // attribute that has the owner's id, "" for a team
	name   string       // attribute that has the name
	id     types.String // as configured
	parent types.String
	last   types.String
}

// find answers the id to look for.
func (k key) find(diags *diag.Diagnostics) string {
	byID := !k.id.IsNull()
	byName := !k.last.IsNull() && (k.owner == "" || !k.parent.IsNull())
	switch {
	case byID && (!k.last.IsNull() || !k.parent.IsNull()), !byID && !byName:
		diags.AddAttributeError(path.Root("id"), "Ambiguous key", "A "+k.noun+" is looked for by "+k.ways()+".")
		return ""
	case !byID && k.owner == "":
		return k.last.ValueString()
	case !byID:
		return engine.JoinID(k.parent.ValueString(), k.last.ValueString())
	}
	if _, err := engine.SplitID(k.noun, k.id.ValueString(), k.parts); err != nil {
		diags.AddAttributeError(path.Root("id"), "Invalid id", err.Error()+".")
	}
	return k.id.ValueString()
}

func (k key) ways() string {
	if k.owner == "" {
		return "either id or " + k.name
	}
	return fmt.Sprintf("either id, or %s and %s", k.owner, k.name)
}

// failed says what was looked for and how.
func (k key) failed(id string, err error, diags *diag.Diagnostics) {
	how := "id"
	if k.id.IsNull() {
		how = k.name
		if k.owner != "" {
			how = k.owner + " and " + k.name
		}
	}
	diags.Append(fwdiag.From(fwdiag.Op{Verb: "Read", Noun: k.noun, ID: id, By: how}, err)...)
}

func keyAttributes(example, owner, ownerExample, name string) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{
		"id": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Id, such as `" + example + "`. Either this or the other key.",
		},
		name: schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Name, such as `" + engine.BaseName(example) + "`.",
		},
	}
	if owner != "" {
		attributes[owner] = schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Id of what it belongs to, such as `" + ownerExample + "`.",
		}
	}
	return attributes
}

// with puts computed attributes beside those of the key.
func with(attributes, more map[string]schema.Attribute) map[string]schema.Attribute {
	for name, attribute := range more {
		attributes[name] = attribute
	}
	return attributes
}

func text(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

func number(description string) schema.Int64Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

func truth(description string) schema.BoolAttribute {
	return schema.BoolAttribute{Computed: true, MarkdownDescription: description}
}

func texts(description string) schema.MapAttribute {
	return schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
}

func list(description string) schema.ListAttribute {
	return schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
}

// toMap is a map of strings, empty rather than null.
func toMap(ctx context.Context, values map[string]string, diags *diag.Diagnostics) types.Map {
	if values == nil {
		values = map[string]string{}
	}
	made, problems := types.MapValueFrom(ctx, types.StringType, values)
	diags.Append(problems...)
	return made
}
