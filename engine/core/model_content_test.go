package core_test

import (
	"fmt"
	"strconv"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
)

// content is what a version runs: db, whose volume has one writer, so that it
// stops first; api, which needs db and starts first; perhaps a worker that has
// no check.
type content struct {
	DB, API  int // values of the variable V
	Replicas int // of api
	Worker   bool
	Tag      string // of api's image
	Bad      string // "" or the component that misbehaves, and how
}

var bad = []string{"db exits", "api exits", "api sick", "api dies-soon", "db dies-soon", "worker exits"}

func drawContent(t *rapid.T) content {
	c := content{
		DB: rapid.IntRange(1, 2).Draw(t, "db"), API: rapid.IntRange(1, 3).Draw(t, "api"),
		Replicas: rapid.SampledFrom([]int{1, 1, 2}).Draw(t, "replicas"),
		Worker:   rapid.IntRange(0, 3).Draw(t, "worker") == 3,
		Tag:      rapid.SampledFrom([]string{"1", "2"}).Draw(t, "tag"),
	}
	if rapid.IntRange(0, 3).Draw(t, "is bad") == 3 {
		c.Bad = rapid.SampledFrom(bad).Draw(t, "bad")
		c.Worker = c.Worker || c.Bad == "worker exits"
	}
	return c
}

// replicas of each component.
func (c content) replicas() map[string]int {
	all := map[string]int{"db": 1, "api": c.Replicas}
	if c.Worker {
		all["worker"] = 1
	}
	return all
}

// tags of each component's image.
func (c content) tags() map[string]string {
	all := map[string]string{"db": "1", "api": c.Tag}
	if c.Worker {
		all["worker"] = "2"
	}
	return all
}

// env of a component.
func (c content) env(component string) map[string]string {
	env := map[string]string{"V": strconv.Itoa(map[string]int{"db": c.DB, "api": c.API}[component])}
	for _, how := range []string{fake.Exits, fake.Sick, fake.DiesSoon} {
		if c.Bad == component+" "+how {
			env[fake.BehaviourVariable] = how
		}
	}
	return env
}

func (c content) components() map[string]engine.Component {
	up := map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080}}}
	all := map[string]engine.Component{}
	for name, n := range c.replicas() {
		one := engine.Component{Image: fmt.Sprintf("%s/%s:%s", modelRegistry, modelRepository, c.tags()[name]), Replicas: &n, Env: c.env(name), HealthChecks: up}
		switch name {
		case "db":
			one.Volumes = map[string]engine.Volume{"data": {Path: "/data"}}
		case "api":
			one.DependsOn = []string{"db"}
		case "worker":
			one.HealthChecks = nil
		}
		all[name] = one
	}
	return all
}
