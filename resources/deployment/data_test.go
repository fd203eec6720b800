package deployment_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// database is a PostgreSQL whose data has snapshots.
func (s shop) database() string {
	return fmt.Sprintf(`
    db = {
      image         = %q
      env           = { POSTGRES_DB = "shop" }
      ports         = { sql = { container_port = 5432 } }
      volumes = { data = {
        path         = "/var/lib/postgresql/data"
        snapshot     = "on_upgrade"
        pre_snapshot = { command = ["psql", "-h", "127.0.0.1", "-U", "postgres", "-d", "shop", "-c", "create table if not exists quieted ()", "-c", "checkpoint"] }
      } }
      health_checks = { ready = { exec = { command = ["pg_isready", "-h", "127.0.0.1", "-d", "shop"] } } }
      stop_signal   = "SIGINT"
    }
`, s.postgres)
}

// migration is a job that changes the database; it fails unless the last of the
// statements answers what it should, and ends with the code.
func (s shop) migration(name, answer string, code int, statements ...string) string {
	script := "answer=$(psql -qAt -v ON_ERROR_STOP=1 -h db -U postgres -d shop"
	for _, one := range statements {
		script += " -c '" + one + "'"
	}
	script += fmt.Sprintf("); echo \"$answer\"; test \"$answer\" = '%s' && exit %d", answer, code)
	return fmt.Sprintf(`
    %s = {
      image      = %q
      depends_on = ["db"]
      restart    = "never"
      command    = ["/bin/sh", "-c", %q]
    }
`, name, s.postgres, script)
}

// A PostgreSQL whose second version dropped a column has it back, with its rows,
// when its data goes back with the version; else the data stays as it is.
func TestAccDataGoesBackWithItsVersion(t *testing.T) {
	if testing.Short() {
		t.Skip("PostgreSQL takes a while; run without -short")
	}
	registry := testimage.DebianRegistry(t, testimage.RealOptions{})
	credential := registry.Credential()
	s := shop{postgres: registry.Push(t, "shop/postgres:15", testimage.Postgres(t))}
	clerk := s.migration("clerk", "42|7", 0, "create table if not exists visits as select 42 as n, 7 as m", "select n, m from visits")
	drop := []string{"select from quieted", "alter table visits drop column if exists m", "insert into visits (n) select 43", "select sum(n) from visits"}
	migrate, broken := s.migration("migrate", "85", 0, drop...), s.migration("broken", "85", 9, drop...)
	everywhere(t, func(t *testing.T, w *world) {
		config := func(name, jobs string, more ...string) string {
			return acctest.Join(append([]string{acctest.Provider(w.DataDir), acctest.Team, w.Node, acctest.ProductOf(w.Product), acctest.Environment,
				acctest.Registry(credential.URL, credential.Username, credential.Password), version(name, s.database()+jobs)}, more...)...)
		}
		deployment := func(more string) string { return acctest.Deployment(strategy("200ms", "2m") + more) }
		const restore = "  restore_data = true\n"
		revisions := `data "slipway_revisions" "shop" { deployment_id = slipway_deployment.shop.id }`
		is := resource.TestCheckResourceAttr
		t.Cleanup(func() { w.expectLeft("db.data") })
		w.run(
			resource.TestStep{Config: config("1.0.0", clerk, deployment(""))},
			resource.TestStep{
				Config: config("2.0.0", migrate, deployment("")),
				ConfigPlanChecks: planned(changes("clerk: remove 1 instance", "db: keep",
					"db: snapshot volume data before the upgrade, after its pre_snapshot command, stopped meanwhile: a gap is expected", "migrate: create 1 instance (image sha256:…")),
			},
			unchanged(config("2.0.0", migrate, deployment(""))),
			resource.TestStep{ // without the data the older version finds no column
				Config:      config("1.0.0", clerk, deployment("")),
				ExpectError: told("Update deployment: rollout failed", "Component: clerk", "Serving: version 2.0.0", `column "m" does not exist`),
			},
			resource.TestStep{
				Config: config("1.0.0", clerk, deployment(restore)),
				ConfigPlanChecks: planned(changes("clerk: create 1 instance (image sha256:…", "db: keep",
					"db: restore volume data as version 1.0.0 left it at …", "migrate: remove 1 instance")),
			},
			resource.TestStep{
				Config: config("1.0.0", clerk, deployment(restore), revisions),
				Check: resource.ComposeTestCheckFunc(
					is("data.slipway_revisions.shop", "revisions.0.cause", "rollback"), is("data.slipway_revisions.shop", "revisions.0.snapshots.#", "0"),
					is("data.slipway_revisions.shop", "revisions.2.snapshots.#", "1"), is("data.slipway_revisions.shop", "revisions.2.snapshots.0.volume", "db/data"),
					is("data.slipway_revisions.shop", "revisions.3.snapshots.#", "1"), is("data.slipway_revisions.shop", "revisions.3.version_name", "1.0.0"),
				),
			},
			resource.TestStep{
				Config: config("2.1.0", broken, deployment(restore)),
				ExpectError: told("Update deployment: rollout failed", "Component: broken", "Exit code: 9",
					"Serving: version 1.0.0 was started again and serves, with the data as it was before"),
			},
			resource.TestStep{Config: config("1.0.0", clerk, deployment(restore+"  restart_trigger = \"look again\"\n"))}, // the clerk finds its column
		)
	})
}

// What there is no snapshot of is refused at plan.
func TestAccNoSnapshotToGoBackTo(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		components := func(image, volume string) string {
			return component("api", image, `volumes = { data = { path = "/data", on_destroy = "delete"`+volume+` } }`)
		}
		first, second := w.app("1"), w.app("2")
		w.run(
			resource.TestStep{Config: w.config("1.0.0", components(first, ""))},
			resource.TestStep{Config: w.config("2.0.0", components(second, ""))},
			resource.TestStep{Config: w.config("3.0.0", components(second, `, snapshot = "on_upgrade"`))},
			resource.TestStep{
				Config:      w.config("1.0.0", components(first, ""), "restore_data = true"),
				PlanOnly:    true,
				ExpectError: told("Plan deployment", "restore_data", "there is no snapshot of volume api/data as version 1.0.0 left it", "Set restore_data = false"),
			},
		)
	})
}

// A volume that cannot be quieted is not copied, and what has it goes on: the upgrade
// fails with what the command said, until the new version has another one.
func TestAccNotQuietBeforeTheSnapshot(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		var instances []string
		components := func(image, more string) string {
			return component("api", image, `volumes = { data = { path = "/data", on_destroy = "delete", snapshot = "on_upgrade"`+more+` } }`)
		}
		const busy = `, pre_snapshot = { command = ["/app"], timeout = "50s" }` // a second one finds its port taken
		first, second := w.app("1"), w.app("2")
		w.run(
			resource.TestStep{Config: w.config("1.0.0", components(first, "")), Check: w.remember(&instances)},
			resource.TestStep{
				Config: w.config("2.0.0", components(second, busy)),
				ExpectError: told("Update deployment: rollout failed", "Component: api", "Phase: data", "volumes.data.pre_snapshot", "ended with exit code 1",
					"address already in use", "version 1.0.0 serves; it was not touched"),
			},
			resource.TestStep{Config: w.config("1.0.0", components(first, "")), Check: w.kept(&instances, "api")},
			resource.TestStep{Config: w.config("2.0.0", components(second, ""))},
		)
	})
}
