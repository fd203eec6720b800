// Command terraform-provider-slipway is the Terraform provider "slipway", with
// the engine inside.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
	"github.com/slipwayhq/terraform-provider-slipway/provider"
)

// version is set when a release is built.
var version = "dev"

func main() {
	local.Main() // a local node starts this program again as the supervisor of each deployment
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println("terraform-provider-slipway", version)
		return
	}
	debug := flag.Bool("debug", false, "wait for a debugger, and print how Terraform reaches this process")
	flag.Parse()
	running := &operations{}
	go running.endWith(unheard())
	err := provider.Serve(version, running.open, *debug)
	if err != nil {
		log.Fatal(err)
	}
}

// open opens the embedded engine.
func (o *operations) open(ctx context.Context, cfg provider.Config) (engine.Service, error) {
	service, err := core.Open(ctx, core.Config{DataDir: cfg.DataDir, EncryptionKey: cfg.EncryptionKey})
	if err != nil {
		return nil, err
	}
	return guarded{Service: service, operations: o}, nil
}
