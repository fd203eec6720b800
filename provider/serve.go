package provider

import (
	"os"
	"runtime/debug"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// Address is where registries have the provider.
const Address = "registry.terraform.io/slipwayhq/slipway"

// Serve answers Terraform until it is done with this process. With debug it
// prints how Terraform reaches the process, and waits.
func Serve(version string, open OpenFunc, debug bool) error {
	quietLogs()
	collectSeldom()
	var opts []tf6server.ServeOpt
	if debug {
		opts = append(opts, tf6server.WithManagedDebug())
	}
	return tf6server.Serve(Address, Server(version, open), opts...)
}

// Server makes provider servers, as New makes providers.
func Server(version string, open OpenFunc) func() tfprotov6.ProviderServer {
	made := newProviders(version, open)
	return func() tfprotov6.ProviderServer {
		p := made()
		return &shortcut{ProviderServer: providerserver.NewProtocol6(p)(), provider: p}
	}
}

// collectSeldom lets garbage lie for longer: this process lives for seconds, holds
// little, and spent a quarter of a plan's processor time on collecting.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// quietLogs turns off the framework's own trace, unless the user asked for
// logs: it is written, sent to Terraform and thrown away there for every step
// of every resource, which takes a third of the time of a plan.
func quietLogs() {
	for _, setting := range os.Environ() {
		if strings.HasPrefix(setting, "TF_LOG") {
			return
		}
	}
	for _, part := range []string{"TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO"} {
		_ = os.Setenv(part, "OFF") // without it there are only more logs
	}
}
