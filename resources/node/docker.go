package node

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

type dockerModel struct {
	Host             types.String `tfsdk:"host"`
	Context          types.String `tfsdk:"context"`
	Address          types.String `tfsdk:"address"`
	TLS              *tlsModel    `tfsdk:"tls"`
	SSH              *sshModel    `tfsdk:"ssh"`
	AllowedHostPaths types.List   `tfsdk:"allowed_host_paths"`
	AllowedDevices   types.List   `tfsdk:"allowed_devices"`
	AllowPrivileged  types.Bool   `tfsdk:"allow_privileged"`
}

type tlsModel struct {
	CACertificate       types.String `tfsdk:"ca_certificate"`
	Certificate         types.String `tfsdk:"certificate"`
	PrivateKeyWO        types.String `tfsdk:"private_key_wo"`
	PrivateKeyWOVersion types.Int64  `tfsdk:"private_key_wo_version"`
}

type sshModel struct {
	PrivateKeyPath      types.String `tfsdk:"private_key_path"`
	PrivateKeyWO        types.String `tfsdk:"private_key_wo"`
	PrivateKeyWOVersion types.Int64  `tfsdk:"private_key_wo_version"`
	KnownHosts          types.String `tfsdk:"known_hosts"`
	UseAgent            types.Bool   `tfsdk:"use_agent"`
}

func (m *dockerModel) toEngine() *engine.DockerNode {
	n := &engine.DockerNode{Host: m.Host.ValueString(), Context: m.Context.ValueString(), Address: m.Address.ValueString()}
	n.AllowedHostPaths, n.AllowedDevices, n.AllowPrivileged = texts(m.AllowedHostPaths), texts(m.AllowedDevices), m.AllowPrivileged.ValueBool()
	if m.TLS != nil {
		n.TLS = &engine.DockerTLS{CACertificate: m.TLS.CACertificate.ValueString(), Certificate: m.TLS.Certificate.ValueString()}
	}
	if m.SSH != nil {
		n.SSH = &engine.DockerSSH{
			PrivateKeyPath: m.SSH.PrivateKeyPath.ValueString(), KnownHosts: m.SSH.KnownHosts.ValueString(), UseAgent: m.SSH.UseAgent.ValueBool(),
		}
	}
	return n
}

func texts(list types.List) []string {
	var all []string
	for _, element := range list.Elements() {
		if s, ok := element.(types.String); ok {
			all = append(all, s.ValueString())
		}
	}
	return all
}

// listLike is null for no values, but where an empty list was written before.
func listLike(ctx context.Context, values []string, before types.List, diags *diag.Diagnostics) types.List {
	if len(values) == 0 && before.IsNull() {
		return types.ListNull(types.StringType)
	}
	list, more := types.ListValueFrom(ctx, types.StringType, append([]string{}, values...))
	diags.Append(more...)
	return list
}

// dockerFromEngine keeps the versions of the keys: they are Terraform's own.
func dockerFromEngine(ctx context.Context, n engine.DockerNode, before *dockerModel, diags *diag.Diagnostics) *dockerModel {
	if before == nil {
		before = &dockerModel{AllowedHostPaths: types.ListNull(types.StringType), AllowedDevices: types.ListNull(types.StringType)}
	}
	m := &dockerModel{
		Host: attrs.OptionalString(n.Host), Context: attrs.OptionalString(n.Context), Address: attrs.OptionalString(n.Address),
		AllowedHostPaths: listLike(ctx, n.AllowedHostPaths, before.AllowedHostPaths, diags),
		AllowedDevices:   listLike(ctx, n.AllowedDevices, before.AllowedDevices, diags),
		AllowPrivileged:  types.BoolValue(n.AllowPrivileged),
	}
	if n.TLS != nil {
		m.TLS = &tlsModel{CACertificate: attrs.OptionalString(n.TLS.CACertificate), Certificate: attrs.OptionalString(n.TLS.Certificate)}
		if before.TLS != nil {
			m.TLS.PrivateKeyWOVersion = before.TLS.PrivateKeyWOVersion
		}
	}
	if n.SSH != nil {
		m.SSH = &sshModel{PrivateKeyPath: attrs.OptionalString(n.SSH.PrivateKeyPath), KnownHosts: attrs.OptionalString(n.SSH.KnownHosts)}
		if before.SSH != nil {
			m.SSH.PrivateKeyWOVersion, m.SSH.UseAgent = before.SSH.PrivateKeyWOVersion, before.SSH.UseAgent
		}
		if n.SSH.UseAgent {
			m.SSH.UseAgent = types.BoolValue(true)
		}
	}
	return m
}

// keyVersions are the numbers beside the write-only keys.
func (m *model) keyVersions() [2]types.Int64 {
	versions := [2]types.Int64{types.Int64Null(), types.Int64Null()}
	if m.Docker != nil && m.Docker.TLS != nil {
		versions[0] = m.Docker.TLS.PrivateKeyWOVersion
	}
	if m.Docker != nil && m.Docker.SSH != nil {
		versions[1] = m.Docker.SSH.PrivateKeyWOVersion
	}
	return versions
}

// keys reads the write-only keys from the configuration, the only place that has
// them, when one of their versions is another than before; nil keeps the stored ones.
func (m *model) keys(ctx context.Context, config tfsdk.Config, before *model, diags *diag.Diagnostics) *engine.DockerKeys {
	now := m.keyVersions()
	if before != nil && now == before.keyVersions() || before == nil && now[0].IsNull() && now[1].IsNull() {
		return nil
	}
	var keys engine.DockerKeys
	read := func(part string, version types.Int64, into *string) {
		if version.IsNull() {
			return
		}
		at := path.Root("docker").AtName(part)
		var value types.String
		diags.Append(config.GetAttribute(ctx, at.AtName("private_key_wo"), &value)...)
		if value.IsNull() {
			diags.AddAttributeError(at.AtName("private_key_wo_version"), "Missing write-only value",
				"private_key_wo_version says that there is a key to send, but private_key_wo is not set.\n\nSet private_key_wo beside it, or leave both out.")
		}
		*into = value.ValueString()
	}
	read("tls", now[0], &keys.TLS)
	read("ssh", now[1], &keys.SSH)
	return &keys
}
