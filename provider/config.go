package provider

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Config is a provider configuration with every default filled in.
type Config struct {
	DataDir       string // absolute
	EncryptionKey string // age identity, "" = the key file in DataDir
}

// Environment variables of the configuration.
const (
	envDataDir        = "SLIPWAY_DATA_DIR"
	envEncryptionKey  = "SLIPWAY_ENCRYPTION_KEY"
	envAllowEphemeral = "SLIPWAY_ALLOW_EPHEMERAL_DATA_DIR"

	// envHostedRun is set by HCP Terraform and its agents.
	envHostedRun = "TFC_RUN_ID"
)

const defaultDataDir = ".slipway"

// attributes are what the user wrote.
type attributes struct {
	DataDir               types.String `tfsdk:"data_dir"`
	EncryptionKey         types.String `tfsdk:"encryption_key"`
	AllowEphemeralDataDir types.Bool   `tfsdk:"allow_ephemeral_data_dir"`
}

func (a attributes) unknown() bool {
	return a.DataDir.IsUnknown() || a.EncryptionKey.IsUnknown() || a.AllowEphemeralDataDir.IsUnknown()
}

// surroundings are what the process is surrounded by.
type surroundings struct {
	getenv func(string) string
	abs    func(string) (string, error)
}

var system = surroundings{getenv: os.Getenv, abs: filepath.Abs}

// resolve takes each value from its attribute, else its environment variable,
// else its default.
func (a attributes) resolve(env surroundings) (Config, diag.Diagnostics) {
	var diags diag.Diagnostics
	allowed, problems := a.allowEphemeral(env)
	diags.Append(problems...)
	if env.getenv(envHostedRun) != "" && !allowed {
		diags.AddAttributeError(path.Root("data_dir"), "Data directory on a hosted runner",
			"This is a run of HCP Terraform or one of its agents ("+envHostedRun+" is set). A runner's disk is usually lost after the run, "+
				"and with it the engine's data: the next plan would know nothing of what runs.\n\n"+
				"Run Terraform where data_dir lasts. If this runner keeps its disk, set allow_ephemeral_data_dir = true (or "+envAllowEphemeral+"=true).")
	}
	dir, err := env.abs(first(a.DataDir.ValueString(), env.getenv(envDataDir), defaultDataDir))
	if err != nil {
		diags.AddAttributeError(path.Root("data_dir"), "Unusable data directory",
			"The working directory cannot be told: "+err.Error()+".\n\nSet data_dir to an absolute path.")
	}
	return Config{
		DataDir:       dir,
		EncryptionKey: first(a.EncryptionKey.ValueString(), env.getenv(envEncryptionKey)),
	}, diags
}

func (a attributes) allowEphemeral(env surroundings) (bool, diag.Diagnostics) {
	written := env.getenv(envAllowEphemeral)
	if !a.AllowEphemeralDataDir.IsNull() || written == "" {
		return a.AllowEphemeralDataDir.ValueBool(), nil
	}
	allowed, err := strconv.ParseBool(written)
	if err != nil {
		return false, diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("allow_ephemeral_data_dir"), "Invalid environment variable",
			envAllowEphemeral+" must be true or false.")}
	}
	return allowed, nil
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
