package node

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

func docker() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "A Docker Engine, API 1.41 (Docker 20.10) or newer: instances are containers. `docker = {}` takes that of `DOCKER_HOST`, else the one of this machine. " +
			"A published port is one container's own there: a component that publishes ports has one replica, and is replaced stop-first.",
		Attributes: map[string]schema.Attribute{
			"host": optional("`unix:///path`, `tcp://host:port` or `ssh://user@host[:port][/path of the socket]`. Absent: `DOCKER_HOST`, else the socket of this machine."),
			"context": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Name of a Docker context of the user that runs Terraform, instead of `host`.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"address": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "IP address of the node that published ports listen on. Absent: `127.0.0.1` on this machine, every address on another one.",
				Validators:          []validator.String{attrs.Check("an IP address", isAddress)},
			},
			"tls":                dockerTLS(),
			"ssh":                dockerSSH(),
			"allowed_host_paths": allowed("Directories of the node, a list of strings, that `host_paths` of components, and `driver_options` of volumes that bind a directory, may lead into. Absent: none."),
			"allowed_devices":    allowed("Devices of the node, or directories of them, a list of strings, that `devices` of components may give to instances. Absent: none."),
			"allow_privileged": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Take components with `security.privileged`, or with capabilities such as `SYS_ADMIN`, which no other limit holds: whoever may write one owns the node. Default `false`.",
			},
		},
	}
}

func allowed(description string) schema.ListAttribute {
	return schema.ListAttribute{
		Optional:            true,
		ElementType:         types.StringType,
		MarkdownDescription: description,
		Validators:          []validator.List{listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
	}
}

func dockerTLS() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How both sides of a `tcp://` host prove themselves. A Docker Engine on TCP without TLS is open to everybody who reaches it.",
		Attributes: map[string]schema.Attribute{
			"ca_certificate":         optional("Certificates in PEM that the Docker Engine's certificate must lead to. Absent: the system's."),
			"certificate":            optional("Certificate in PEM that the engine shows, for the private key."),
			"private_key_wo":         privateKey("docker", "tls"),
			"private_key_wo_version": privateKeyVersion(),
		},
	}
}

func dockerSSH() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How to log in at an `ssh://` host. Without a key an ssh agent is asked. No ssh program is needed.",
		Attributes: map[string]schema.Attribute{
			"private_key_path":       keyPath(),
			"private_key_wo":         privateKey("docker", "ssh"),
			"private_key_wo_version": privateKeyVersion(),
			"known_hosts":            optional("Lines of `known_hosts`, as `ssh-keyscan` prints them. Absent: `~/.ssh/known_hosts`. A host that shows another key is refused."),
			"use_agent": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Also use the keys of the ssh agent (`SSH_AUTH_SOCK`). Default `false`, but `true` without any key.",
			},
		},
	}
}

func keyPath() schema.StringAttribute {
	attribute := optional("File with a private key that has no passphrase.")
	attribute.Validators = append(attribute.Validators, stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("private_key_wo")))
	return attribute
}

func optional(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: description,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}

func privateKey(at ...string) schema.StringAttribute {
	version := path.MatchRoot(at[0])
	for _, name := range at[1:] {
		version = version.AtName(name)
	}
	return schema.StringAttribute{
		Optional:            true,
		Sensitive:           true,
		WriteOnly:           true,
		MarkdownDescription: "Private key in PEM. Write-only: stored encrypted by the engine, never in state or plan. Sent when created and when `private_key_wo_version` changes.",
		Validators:          []validator.String{stringvalidator.AlsoRequires(version.AtName("private_key_wo_version"))},
	}
}

func privateKeyVersion() schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional:            true,
		MarkdownDescription: "Number to raise when `private_key_wo` is to be sent again.",
		Validators:          []validator.Int64{int64validator.AtLeast(0)},
	}
}
