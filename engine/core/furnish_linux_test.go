package core_test

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// furnish makes what deployments refer to but versions: the product acme/shop, its
// images' registry, and the environment acme/test on the node acme/here.
func furnish(ctx context.Context, e *core.Engine, n engine.Node, r *testimage.RegistryServer, environment string) error {
	n.TeamID, n.Name, n.Allocation = "acme", "here", engine.AllocationOpen
	_, err := e.CreateTeam(ctx, engine.Team{Name: "acme"})
	if err == nil {
		_, err = e.CreateNode(ctx, n)
	}
	if err == nil {
		_, err = e.CreateRegistry(ctx, engine.Registry{TeamID: "acme", Name: "main", URL: "http://" + r.URL()}, "")
	}
	if err == nil {
		_, err = e.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: "shop", Type: engine.ProductComplex})
	}
	if err == nil {
		_, err = e.CreateEnvironment(ctx, engine.Environment{TeamID: "acme", Name: "test", NodeID: n.TeamID + "/" + n.Name, Type: environment}, nil)
	}
	return err
}

// dockerNode is a node on a Docker Engine that keeps the images of that many versions,
// 0 = as many as ever.
func dockerNode(d *testdocker.Engine, keep int) engine.Node {
	return engine.Node{Kind: engine.NodeDocker, Docker: &engine.DockerNode{Host: d.Host}, KeepVersions: keep}
}
