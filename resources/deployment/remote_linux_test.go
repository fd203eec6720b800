package deployment_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// A Docker Engine behind an ssh server: everything goes through ssh, the checks too.
func TestAccDockerOverSSH(t *testing.T) {
	t.Parallel()
	e := testdocker.Shared(t)
	server := testdocker.NewSSHD(t)
	at := acctest.OnEngine(t, e, fmt.Sprintf(`docker = {
    host = "ssh://root@%s%s"
    ssh  = { private_key_wo = var.key, private_key_wo_version = 1, known_hosts = %q }
  }`, server.Address, e.Socket(), strings.TrimSpace(server.KnownHosts)))
	newWorld(t, at).farAway(server.PrivateKey)
}

// A Docker Engine on TCP, where both sides prove themselves.
func TestAccDockerOverTLS(t *testing.T) {
	t.Parallel()
	d, address, authority := testdocker.NewTLS(t)
	certificate, key := authority.Issue()
	at := acctest.OnEngine(t, &d.Engine, fmt.Sprintf(`docker = {
    host = "tcp://%s"
    tls  = { private_key_wo = var.key, private_key_wo_version = 1, ca_certificate = %q, certificate = %q }
  }`, address, authority.PEM, certificate))
	newWorld(t, at).farAway(key)
}

// farAway is a product's life on a node that only the key opens.
func (w *world) farAway(key string) {
	w.t.Helper()
	vars := config.Variables{"key": config.StringVariable(key)}
	conf := func(name, image string) string {
		return acctest.Join("variable \"key\" {\n  type      = string\n  sensitive = true\n  ephemeral = true\n}",
			w.config(name, api(image, `depends_on = ["store"]`)+component("store", w.app("1"))))
	}
	none := noneOf{strings.Split(key, "\n")[1]}
	web := w.site()
	var before []string
	apply := func(name, image string, expected []plancheck.PlanCheck, checks ...resource.TestCheckFunc) []resource.TestStep {
		return []resource.TestStep{
			{
				Config: conf(name, image), ConfigVariables: vars,
				ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: append(expected, none)},
				ConfigStateChecks: []statecheck.StateCheck{none},
				Check:             resource.ComposeTestCheckFunc(append(checks, web.answers("/dial?addr=store:8080", "connected"))...),
			},
			{Config: conf(name, image), ConfigVariables: vars, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		}
	}
	steps := apply("1.0.0", w.app("1"), nil, web.learn("api/http"), web.answers("/", "1"), w.look, w.remember(&before))
	steps = append(steps, apply("1.1.0", w.app("2"), []plancheck.PlanCheck{changes("api: replace 1 instance, "+w.swap()+" (image sha256:…", "store: keep")},
		web.answers("/", "2"), w.kept(&before, "store"), w.replaced(&before, "api"))...)
	w.run(steps...)
}

// noneOf expects neither a plan nor a state to have that text.
type noneOf struct{ text string }

// CheckPlan implements plancheck.PlanCheck.
func (n noneOf) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = n.check("plan", req.Plan)
}

// CheckState implements statecheck.StateCheck.
func (n noneOf) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	resp.Error = n.check("state", req.State)
}

func (n noneOf) check(where string, value any) error {
	text, err := json.Marshal(value)
	if err == nil && strings.Contains(string(text), n.text) {
		err = fmt.Errorf("the %s has a secret", where)
	}
	return err
}
