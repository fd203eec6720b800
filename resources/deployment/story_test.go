package deployment_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// soon matches a verdict that did not wait for a deadline of half a minute.
const soon = `(\d+ms|[12]?[0-9](\.\d+)?s)`

// told expects texts in this order, however Terraform wraps its lines. What is
// between slashes is a regular expression.
func told(texts ...string) *regexp.Regexp {
	var all []string
	for _, text := range texts {
		if expression, is := strings.CutPrefix(text, "/"); is {
			all = append(all, strings.TrimSuffix(expression, "/"))
			continue
		}
		var words []string
		for word := range strings.FieldsSeq(text) {
			words = append(words, regexp.QuoteMeta(word))
		}
		all = append(all, strings.Join(words, `\s+`))
	}
	return regexp.MustCompile("(?s)" + strings.Join(all, ".*"))
}

// badVersion is one that must not take the place of a good one.
type badVersion struct {
	component string // the inside of the components map
	strategy  string // "" = brisk
	want      *regexp.Regexp
}

// proves that the bad version fails with its story while the good one answers,
// that the next plan offers it again, and that a mended one succeeds.
func (bad badVersion) prove(t *testing.T, w *world) {
	t.Helper()
	if bad.strategy == "" {
		bad.strategy = brisk
	}
	good, mended := w.app("1"), w.app("2")
	web := &site{t: t}
	var during *visitor
	w.run(
		resource.TestStep{
			Config: w.config("1.0.0", api(good)),
			Check:  resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1")),
		},
		resource.TestStep{
			PreConfig:   func() { during = web.visit() },
			Config:      w.with(bad.strategy, "1.1.0", bad.component),
			ExpectError: bad.want,
		},
		offeredAgain("acme/shop/1.0.0", func() { during.saw("1") }, web.answers("/", "1")),
		resource.TestStep{
			Config:           w.config("1.1.0", api(mended)),
			ConfigPlanChecks: planned(plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)),
			Check:            resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "2"), serves("acme/shop/1.1.0")),
		},
	)
}

// offeredAgain is a step after an update that failed: the state has the version
// that serves, and the plan the update.
func offeredAgain(serving string, before func(), checks ...resource.TestCheckFunc) resource.TestStep {
	return resource.TestStep{
		PreConfig:          before,
		RefreshState:       true,
		ExpectNonEmptyPlan: true,
		RefreshPlanChecks: resource.RefreshPlanChecks{PostRefresh: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
		}},
		Check: resource.ComposeTestCheckFunc(append(checks, serves(serving), resource.TestCheckResourceAttr(address, "health", "healthy"))...),
	}
}

// serves expects the state to have that version.
func serves(id string) resource.TestCheckFunc {
	return resource.TestMatchResourceAttr(address, "version", regexp.MustCompile("^"+regexp.QuoteMeta(id)+"@sha256:"))
}
