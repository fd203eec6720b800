package deployment_test

import (
	"regexp"
	"strings"

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

// offeredAgain is a step after an update that failed: the state has the version
// that serves, and the plan the update.
func (w *world) offeredAgain(serving string, before func(), checks ...resource.TestCheckFunc) resource.TestStep {
	return resource.TestStep{
		PreConfig:          before,
		RefreshState:       true,
		ExpectNonEmptyPlan: true,
		RefreshPlanChecks: resource.RefreshPlanChecks{PostRefresh: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
		}},
		Check: resource.ComposeTestCheckFunc(append(checks, w.serves(serving), resource.TestCheckResourceAttr(address, "health", "healthy"))...),
	}
}

// serves expects the state to have that version.
func (w *world) serves(name string) resource.TestCheckFunc {
	return resource.TestMatchResourceAttr(address, "version", regexp.MustCompile("^"+regexp.QuoteMeta(w.Version(name))+"@sha256:"))
}
