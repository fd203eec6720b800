package deployment_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// The data sources of history tell what was tried, what came of it, and what
// differs between two versions.
func TestAccHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	first, second := w.app("1"), w.app("2")
	bad := w.app("3", "HEALTH", "fail")
	failing := w.with(strategy("200ms", "2s"), "2.0.0", api(bad))
	serving := w.config("1.1.0", api(second, `env = { LEVEL = "" }`))
	history := `
data "slipway_revisions" "shop" { deployment_id = "` + w.Deployment() + `" }
data "slipway_operations" "last" {
  deployment_id = "` + w.Deployment() + `"
  status        = "failed"
  limit         = 1
}
data "slipway_versions" "shop" {
  product_id = "acme/` + w.Product + `"
  constraint = ">= 1.0"
}
data "slipway_version_diff" "shop" {
  from = "` + w.Version("1.0.0") + `"
  to   = slipway_version.shop.ref
}
`
	const revisions, operations, versions, diff = "data.slipway_revisions.shop", "data.slipway_operations.last",
		"data.slipway_versions.shop", "data.slipway_version_diff.shop"
	is := resource.TestCheckResourceAttr
	w.run(
		resource.TestStep{Config: w.config("1.0.0", api(first))},
		resource.TestStep{Config: failing, ExpectError: told("Update deployment: rollout failed")},
		resource.TestStep{Config: serving},
		resource.TestStep{
			Config: acctest.Join(serving, history),
			Check: resource.ComposeTestCheckFunc(
				is(revisions, "revisions.#", "3"),
				is(revisions, "revisions.0.version_name", "1.1.0"), is(revisions, "revisions.0.status", "successful"),
				is(revisions, "revisions.1.version_name", "2.0.0"), is(revisions, "revisions.1.status", "failed"),
				resource.TestMatchResourceAttr(revisions, "revisions.1.reason", told("503")),
				is(revisions, "revisions.2.status", "obsolete"),
				resource.TestCheckNoResourceAttr(revisions, "revisions.0.reason"),
				resource.TestCheckResourceAttrSet(revisions, "revisions.0.finished_at"),
				resource.TestCheckResourceAttrPair(revisions, "revisions.0.operation_id", address, "operation_id"),

				is(operations, "operations.#", "1"),
				resource.TestCheckResourceAttrPair(operations, "operations.0.id", revisions, "revisions.1.operation_id"),
				resource.TestMatchResourceAttr(operations, "operations.0.error", told("503")),
				is(operations, "operations.0.error_code", "failed/check"),
				resource.TestCheckTypeSetElemNestedAttrs(operations, "operations.0.steps.*", map[string]string{"component": "api", "status": "failed"}),

				is(versions, "versions.#", "1"), // the others are retired
				resource.TestCheckResourceAttrPair(versions, "versions.0.ref", address, "version"),

				is(diff, "changes.#", "2"),
				is(diff, "changes.0.attribute", "env.LEVEL"), is(diff, "changes.0.to", ""), resource.TestCheckNoResourceAttr(diff, "changes.0.from"),
				is(diff, "changes.1.attribute", "image"), is(diff, "changes.1.change", "changed"),
				resource.TestCheckResourceAttrPair(diff, "changes.1.to", address, "instances.api.image"),
			),
		},
		resource.TestStep{
			Config:      acctest.Join(serving, `data "slipway_revisions" "none" { deployment_id = "acme/staging/none" }`),
			ExpectError: told("Read revisions: not found", `no deployment has the id "acme/staging/none"`),
		},
		resource.TestStep{
			Config: acctest.Join(serving, `data "slipway_versions" "none" {
  product_id = "acme/`+w.Product+`"
  constraint = "about 1"
}`),
			ExpectError: told("constraint", `"about 1" is not a constraint on versions`),
		},
		resource.TestStep{
			Config: acctest.Join(serving, `data "slipway_version_diff" "none" {
  from = "`+w.Version("0.0.1")+`"
  to   = "`+w.Version("1.1.0")+`"
}`),
			ExpectError: told("Read version diff: not found", `from`, `no version has the id "`+w.Version("0.0.1")+`"`),
		},
	)
}
