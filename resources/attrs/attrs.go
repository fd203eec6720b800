// Package attrs holds the few schema pieces that every resource shares, so that
// one concept has one shape everywhere.
package attrs

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ID is the computed human key of an object; example shows its shape.
func ID(example string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: "Human key, such as `" + example + "`. Known at plan, and what `terraform import` takes.",
	}
}

// TeamID is the required id of the owning team; another one replaces.
func TeamID() schema.StringAttribute {
	return Parent("Id of the team that owns it, such as `acme`. A change replaces.")
}

// Parent is the required id of the object that this one belongs to.
func Parent(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: description,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		PlanModifiers:       []planmodifier.String{ReplaceIfKnown()},
	}
}

// Name is the required name of an object; another one replaces.
func Name(of string) schema.StringAttribute {
	return schema.StringAttribute{
		Required: true,
		MarkdownDescription: "Name of the " + of + ": lower-case letters, digits and inner hyphens, at most 40 characters. " +
			"A change replaces.",
		Validators:    []validator.String{NameSyntax()},
		PlanModifiers: []planmodifier.String{ReplaceIfKnown()},
	}
}

// Description is the optional text for people.
func Description() schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: "Text for people.",
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}

// Labels are optional words for people and tools.
func Labels() schema.MapAttribute {
	return schema.MapAttribute{
		Optional:            true,
		ElementType:         types.StringType,
		MarkdownDescription: "Labels, a map of strings. They mean nothing to the engine.",
	}
}

// Choice is an optional string with a default, one of values.
func Choice(description, fallback string, values ...string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: description + " Default `" + fallback + "`.",
		Default:             stringdefault.StaticString(fallback),
		Validators:          []validator.String{stringvalidator.OneOf(values...)},
	}
}

// ReplaceIfKnown replaces the object when the planned value is known and
// another than before; an unknown value is never judged.
func ReplaceIfKnown() planmodifier.String {
	const says = "A change replaces the object."
	return stringplanmodifier.RequiresReplaceIf(func(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
		resp.RequiresReplace = !req.PlanValue.IsUnknown()
	}, says, says)
}
