// Package component is the shape of a component in HCL: its schema, shared by
// slipway_version and slipway_product, and the conversion from and to the
// engine's type. Attribute names are the engine's JSON names, so one generic
// conversion serves all of them.
package component

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Attribute is the `components` attribute. Nothing in it is computed and
// nothing has a schema default: the engine fills in the defaults it documents.
// The framework walks every nested attribute of every component several times
// for each plan, and defaults would double that.
func Attribute(required bool, description string) schema.MapNestedAttribute {
	attribute := mapOf(description, attributes())
	attribute.Required, attribute.Optional = required, !required
	return attribute
}

func attributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"image": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "OCI image reference, such as `registry.acme.dev/shop/api:1.4.0`. A tag is resolved to a digest when the version is created; what runs is the digest.",
		},
		"command":           list("Replaces the image's entrypoint, one word an element."),
		"args":              list("Replaces the image's command, one word an element."),
		"env":               texts("Environment variables by name. `${…}` is Terraform's; the engine interpolates nothing. The environment's and the deployment's variables win over these."),
		"secrets":           list("Names of secrets of the environment or the deployment that are given as environment variables of the same name."),
		"secret_files":      texts("Secrets given as files: absolute path to the name of the secret. Mode 0400, never on disk."),
		"files":             files(),
		"ports":             ports(),
		"routes":            routes(),
		"volumes":           volumes(),
		"tmpfs":             tmpfs(),
		"host_paths":        hostPaths(),
		"depends_on":        list("Names of components that must be healthy before this one starts."),
		"replicas":          integer("Number of instances, 0 to 1000; 0 suspends the component. Default 1."),
		"resources":         Resources(),
		"user":              str("User to run as: a uid or a name, either with `:group`. Default: the image's."),
		"working_dir":       str("Absolute directory to start in. Default: the image's."),
		"hostname":          str("Host name inside the instance. Default: the instance's name."),
		"stop_signal":       str("Signal that asks the process to end. Default: the image's, else `SIGTERM`."),
		"stop_grace_period": str("How long the process has after the stop signal before it is killed, a Go duration. Default `10s`."),
		"restart":           str("When an instance that ended is started again: `always`, `on_failure`, or `never` (a job). Default `always`."),
		"health_checks":     healthChecks(),
		"security":          security(),
		"logging":           logging(),
		"labels":            texts("Labels of the instances. Names that start with `slipway` are the engine's own."),
		"extra_hosts":       texts("More host names inside the instance: name to IP address."),
		"init":              boolean("Run a tiny init as process 1 that reaps orphans and passes signals on. Default `false`."),
		"shm_size":          str("Size of `/dev/shm`, a quantity. Default `64Mi`."),
		"ulimits":           ulimits(),
		"dns":               dns(),
		"networks":          list("Names of networks of the node that the instances join besides the deployment's own. They must exist; there the instances are known by their containers' names."),
		"sysctls":           texts("Kernel parameters of the instances' own namespaces, such as `net.core.somaxconn`."),
		"devices":           devices(),
		"gpus":              str("GPUs of the node that an instance gets: `all`, or how many."),
	}
}

// Resources limit one instance of a component; a deployment overrides them with
// the same shape.
func Resources() schema.SingleNestedAttribute {
	return object("Limits of one instance. Absent: no limit.", map[string]schema.Attribute{
		"cpu":    schema.Float64Attribute{Optional: true, MarkdownDescription: "CPU in cores, such as `0.5`."},
		"memory": str("Memory, a quantity such as `512Mi`."),
		"pids":   integer("Number of processes and threads."),
	})
}

func str(description string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, MarkdownDescription: description}
}

func requiredStr(description string) schema.StringAttribute {
	return schema.StringAttribute{Required: true, MarkdownDescription: description}
}

func boolean(description string) schema.BoolAttribute {
	return schema.BoolAttribute{Optional: true, MarkdownDescription: description}
}

func integer(description string) schema.Int64Attribute {
	return schema.Int64Attribute{Optional: true, MarkdownDescription: description}
}

func requiredInteger(description string) schema.Int64Attribute {
	return schema.Int64Attribute{Required: true, MarkdownDescription: description}
}

func list(description string) schema.ListAttribute {
	return schema.ListAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: description}
}

func texts(description string) schema.MapAttribute {
	return schema.MapAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: description}
}

// object and mapOf name their type, made once: the framework would make it anew
// for every value that it walks, which takes most of the time of a plan.

func object(description string, attributes map[string]schema.Attribute) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: description,
		Attributes:          attributes,
		CustomType:          objectType(attributes),
	}
}

func mapOf(description string, attributes map[string]schema.Attribute) schema.MapNestedAttribute {
	typ := objectType(attributes)
	return schema.MapNestedAttribute{
		Optional:            true,
		MarkdownDescription: description,
		NestedObject:        schema.NestedAttributeObject{Attributes: attributes, CustomType: typ},
		CustomType:          types.MapType{ElemType: typ},
	}
}

func objectType(attributes map[string]schema.Attribute) types.ObjectType {
	all := make(map[string]attr.Type, len(attributes))
	for name, attribute := range attributes {
		all[name] = attribute.GetType()
	}
	return types.ObjectType{AttrTypes: all}
}
