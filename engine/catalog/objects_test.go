package catalog

import (
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestValidateObjects(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	node := func(f func(*engine.Node)) error {
		n := engine.Node{ID: "acme/here", TeamID: "acme", Name: "here", Allocation: "open", Kind: engine.NodeLocal, Local: &engine.LocalNode{Address: "127.0.0.1"}}
		f(&n)
		return ValidateNode(n)
	}
	registry := func(url string) error {
		return ValidateRegistry(engine.Registry{ID: "acme/main", TeamID: "acme", Name: "main", URL: url})
	}
	product := func(f func(*engine.Product)) error {
		p := engine.Product{ID: "acme/shop", TeamID: "acme", Name: "shop", Type: "complex"}
		f(&p)
		return ValidateProduct(p)
	}
	version := func(f func(*engine.Version)) error {
		v := engine.Version{ID: "acme/shop/1.4.0", ProductID: "acme/shop", Name: "1.4.0", Type: "incremental", Status: "active", Components: shop()}
		f(&v)
		return ValidateVersion(v)
	}
	environment := func(f func(*engine.Environment)) error {
		e := engine.Environment{ID: "acme/production", TeamID: "acme", Name: "production", NodeID: "acme/here", Type: "production"}
		f(&e)
		return ValidateEnvironment(e)
	}
	deployment := func(f func(*engine.Deployment)) error {
		d := engine.Deployment{ID: "acme/production/shop", EnvironmentID: "acme/production", Prefix: "shop", Version: "acme/shop/1.4.0" + digest, Strategy: engine.DefaultStrategy}
		f(&d)
		return ValidateDeployment(d)
	}
	for name, test := range map[string]struct {
		err           error
		field, reason string
	}{
		"team":            {ValidateTeam(engine.Team{ID: "acme", Name: "acme"}), "", ""},
		"team name":       {ValidateTeam(engine.Team{Name: "Acme"}), "name", "not a name"},
		"team id":         {ValidateTeam(engine.Team{ID: "other", Name: "acme"}), "id", "acme"},
		"node":            {node(func(n *engine.Node) {}), "", ""},
		"node kind":       {node(func(n *engine.Node) { n.Kind = "" }), "exactly one kind", ""},
		"node allocation": {node(func(n *engine.Node) { n.Allocation = "full" }), "allocation", "open, closed, drain"},
		"node address":    {node(func(n *engine.Node) { n.Local.Address = "localhost" }), "local.address", "IP"},
		"node team":       {node(func(n *engine.Node) { n.TeamID, n.ID = "a/b", "" }), "team_id", "a/b"},
		"node out of reach": {node(func(n *engine.Node) {
			n.Kind, n.Local, n.Docker = engine.NodeDocker, nil, &engine.DockerNode{Host: "tcp://10.0.0.1:2375"}
			n.Ingress = &engine.NodeIngress{}
		}), "ingress", "ssh://"},
		"node keeps":          {node(func(n *engine.Node) { n.KeepVersions = -1 }), "image_retention.keep_versions", "-1"},
		"registry":            {registry("registry.acme.dev"), "", ""},
		"registry prefix":     {registry("http://127.0.0.1:5000/team/a"), "", ""},
		"registry https":      {registry("https://registry.acme.dev"), "", ""},
		"registry none":       {registry(""), "url", "host[:port]"},
		"registry ftp":        {registry("ftp://a"), "url", "host[:port]"},
		"registry user":       {registry("user:secret@a"), "url", "host[:port]"},
		"registry port":       {registry("a:port"), "url", "host[:port]"},
		"registry empty port": {registry("a:"), "url", "host[:port]"},
		"registry query":      {registry("a?b=c"), "url", "host[:port]"},
		"registry pem":        {ValidateRegistry(engine.Registry{TeamID: "a", Name: "b", URL: "c", CACertificate: "d"}), "ca_certificate", "PEM"},
		"product":             {product(func(p *engine.Product) {}), "", ""},
		"product type":        {product(func(p *engine.Product) { p.Type = "hard" }), "type", "simple, complex"},
		"product complex":     {product(func(p *engine.Product) { p.Components = shop() }), "components", "slipway_version"},
		"product simple":      {product(func(p *engine.Product) { p.Type, p.Components = "simple", shop() }), "", ""},
		"product empty":       {product(func(p *engine.Product) { p.Type = "simple" }), "components", "at least one"},
		"version":             {version(func(v *engine.Version) {}), "", ""},
		"version v1":          {version(func(v *engine.Version) { v.ID, v.Name = "", "v1.4.0" }), "name", "semantic version"},
		"version 1.4":         {version(func(v *engine.Version) { v.ID, v.Name = "", "1.4" }), "name", "semantic version"},
		"version rc":          {version(func(v *engine.Version) { v.ID, v.Name = "", "1.4.0-rc.1" }), "", ""},
		"version rolling":     {version(func(v *engine.Version) { v.ID, v.Name, v.Type = "", "main", "rolling" }), "", ""},
		"version rolling v":   {version(func(v *engine.Version) { v.ID, v.Name, v.Type = "", "1.0.0", "rolling" }), "name", "not a name"},
		"version type":        {version(func(v *engine.Version) { v.Type = "big" }), "type", "incremental, rolling"},
		"version status":      {version(func(v *engine.Version) { v.Status = "gone" }), "status", "deprecated"},
		"version product":     {version(func(v *engine.Version) { v.ID, v.ProductID = "", "shop" }), "product_id", "acme/shop"},
		"version parent":      {version(func(v *engine.Version) { v.ParentID = "acme/shop/1.3.0" }), "", ""},
		"version stranger":    {version(func(v *engine.Version) { v.ParentID = "acme/mail/1.3.0" }), "parent_id", "acme/shop"},
		"version orphan":      {version(func(v *engine.Version) { v.ParentID = v.ID }), "parent_id", "own parent"},
		"version components":  {version(func(v *engine.Version) { v.Components = nil }), "components", "at least one"},
		"environment":         {environment(func(e *engine.Environment) {}), "", ""},
		"environment type":    {environment(func(e *engine.Environment) { e.Type = "prod" }), "type", "production"},
		"environment node":    {environment(func(e *engine.Environment) { e.NodeID = "other/here" }), "node_id", "another team"},
		"environment no node": {environment(func(e *engine.Environment) { e.NodeID = "" }), "node_id", "not the id of a node"},
		"environment env":     {environment(func(e *engine.Environment) { e.Variables = engine.SetVariables(map[string]string{"": "x"}) }), "variables", "empty"},
		"environment self":    {environment(func(e *engine.Environment) { e.PromotesFromID = "acme/production" }), "promotes_from_id", "itself"},
		"environment soak":    {environment(func(e *engine.Environment) { e.MinSoak = "long" }), "min_soak", "long"},
		"deployment":          {deployment(func(d *engine.Deployment) {}), "", ""},
		"deployment least":    {deployment(func(d *engine.Deployment) { d.ID, d.Prefix, d.Strategy = "", "", engine.Strategy{} }), "", ""},
		"deployment prefix":   {deployment(func(d *engine.Deployment) { d.ID, d.Prefix = "", "a/b" }), "prefix", "not a name"},
		"deployment reserved": {deployment(func(d *engine.Deployment) { d.ID, d.Prefix = "", "slipway-ingress" }), "prefix", "the engine itself"},
		"deployment id":       {deployment(func(d *engine.Deployment) { d.Prefix = "mail" }), "id", "acme/production/mail"},
		"deployment version":  {deployment(func(d *engine.Deployment) { d.Version = "1.4.0" }), "version", "team/product/name"},
		"deployment digest":   {deployment(func(d *engine.Deployment) { d.Version = "acme/shop/1.4.0@sha256:ab" }), "version", "digest"},
		"deployment team":     {deployment(func(d *engine.Deployment) { d.Version = "evil/shop/1.4.0" }), "version", `team "evil"`},
		"deployment state":    {deployment(func(d *engine.Deployment) { d.DesiredState = "paused" }), "desired_state", "running, stopped"},
		"deployment override": {deployment(func(d *engine.Deployment) {
			d.Components = map[string]engine.ComponentOverride{"api": {Replicas: ptr(-1)}}
		}), "components.api.replicas", "-1"},
		"strategy type":     {deployment(func(d *engine.Deployment) { d.Strategy.Type = "magic" }), "strategy.type", "rolling, blue_green, canary, recreate"},
		"strategy parallel": {deployment(func(d *engine.Deployment) { d.Strategy.MaxParallel = 0 }), "strategy.max_parallel", "0"},
		"strategy hold":     {deployment(func(d *engine.Deployment) { d.Strategy.MinHealthyTime = "5" }), "strategy.min_healthy_time", "5"},
		"strategy deadline": {deployment(func(d *engine.Deployment) { d.Strategy.ProgressDeadline = "5s" }), "strategy.progress_deadline", "min_healthy_time"},
		"strategy drain":    {deployment(func(d *engine.Deployment) { d.Strategy.DrainTimeout = "-1s" }), "strategy.drain_timeout", "-1s"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(test.field, "exactly") { // about the whole object, without a field
				if test.err == nil || !strings.HasPrefix(test.err.Error(), test.field) {
					t.Errorf("got %v", test.err)
				}
				return
			}
			wantComplaint(t, test.err, engine.ErrInvalid, test.field, test.reason)
			if test.err != nil && strings.Contains(test.err.Error(), "secret") {
				t.Error("the error repeats credentials")
			}
		})
	}
}

func TestValidateOverrides(t *testing.T) {
	long := strings.Repeat("p", 40)
	cs := shop()
	cs[strings.Repeat("c", 30)] = engine.Component{Image: "a"}
	override := func(name string, o engine.ComponentOverride) engine.Deployment {
		return engine.Deployment{Prefix: "shop", Components: map[string]engine.ComponentOverride{name: o}}
	}
	for name, test := range map[string]struct {
		deployment    engine.Deployment
		field, reason string
	}{
		"fine":    {override("api", engine.ComponentOverride{Replicas: ptr(3)}), "", ""},
		"unknown": {override("web", engine.ComponentOverride{}), "components.web", `no component "web"`},
		"writers": {override("db", engine.ComponentOverride{Replicas: ptr(2)}), "components.db.replicas", "single writer"},
		"memory":  {override("db", engine.ComponentOverride{Resources: &engine.Resources{Memory: "x"}}), "components.db.resources.memory", "x"},
		"env":     {override("db", engine.ComponentOverride{Env: engine.SetVariables(map[string]string{"=": ""})}), "components.db.env", "="},
		"prefix":  {engine.Deployment{Prefix: long}, "prefix", "at most 63"},
	} {
		t.Run(name, func(t *testing.T) {
			wantComplaint(t, ValidateOverrides(test.deployment, cs), engine.ErrInvalid, test.field, test.reason)
		})
	}
}
