package deployment_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// shop is nginx, twice side by side behind a name and, where that can be, behind a
// published port; PostgreSQL, Redis, an application that reaches all of them by
// name, and jobs that write a row and read it.
type shop struct {
	nginx, postgres, redis, app string
	replicas                    int // of the nginx that publishes its port
}

func (s shop) components(connections string) string {
	return fmt.Sprintf(`
    web = {
      image         = %[1]q
      replicas      = %[2]d
      ports         = { http = { container_port = 80, host_port = 0 } }
      health_checks = { up = { http = { port = 80 } } }
    }
    pages = {
      image         = %[1]q
      replicas      = 2
      ports         = { http = { container_port = 80 } }
      health_checks = { up = { http = { port = 80 } } }
    }
    db = {
      image         = %[3]q
      args          = ["-c", "max_connections=%[4]s"]
      env           = { POSTGRES_DB = "shop" }
      ports         = { sql = { container_port = 5432 } }
      volumes       = { data = { path = "/var/lib/postgresql/data" } }
      health_checks = { ready = { exec = { command = ["pg_isready", "-h", "127.0.0.1", "-d", "shop"] } } }
      stop_signal   = "SIGINT"
    }
    cache = {
      image         = %[5]q
      volumes       = { data = { path = "/data", on_destroy = "delete" } }
      health_checks = { ready = { exec = { command = ["redis-cli", "ping"] } } }
    }
    app = {
      image         = %[6]q
      depends_on    = ["db", "cache", "pages"]
      ports         = { http = { container_port = 8080, host_port = 0 } }
      health_checks = {
        db    = { http = { port = 8080, path = "/dial?addr=db:5432" } }
        cache = { http = { port = 8080, path = "/dial?addr=cache:6379" } }
        pages = { http = { port = 8080, path = "/dial?addr=pages:80" } }
      }
    }
`, s.nginx, s.replicas, s.postgres, connections, s.redis, s.app)
}

// job is a component that runs SQL against db and ends; it fails unless the SQL
// answers what it should.
func (s shop) job(name, sql, answer string) string {
	return fmt.Sprintf(`
    %s = {
      image      = %q
      depends_on = ["db"]
      restart    = "never"
      command    = ["/bin/sh", "-c", "answer=$(psql -h db -U postgres -d shop -At -c '%s'); echo \"$answer\"; test \"$answer\" = '%s'"]
    }
`, name, s.postgres, sql, answer)
}

// Real programs from a real registry: they find each other by name, keep their
// data, and leave nothing but what is to be kept.
func TestAccRealImages(t *testing.T) {
	if testing.Short() {
		t.Skip("PostgreSQL, Redis and nginx take a while; run without -short")
	}
	nginx, postgres, redis := testimage.Nginx(t), testimage.Postgres(t), testimage.Redis(t)
	registry := testimage.DebianRegistry(t, testimage.RealOptions{})
	credential := registry.Credential()
	images := shop{
		nginx: registry.Push(t, "shop/nginx:1", nginx), postgres: registry.Push(t, "shop/postgres:15", postgres),
		redis: registry.Push(t, "shop/redis:7", redis), app: registry.Push(t, "shop/app:1", testimage.App(t, "1", nil)),
	}
	everywhere(t, func(t *testing.T, w *world) {
		s := images
		s.replicas = w.Replicas(2)
		writes := s.job("clerk", "create table visits as select 42 as n", "SELECT 1")
		reads := s.job("auditor", "select n from visits", "42")
		config := func(name, connections string, jobs ...string) string {
			return acctest.Join(acctest.Provider(w.DataDir), acctest.Team, w.Node, acctest.ProductOf(w.Product), acctest.Environment,
				acctest.Registry(credential.URL, credential.Username, credential.Password),
				version(name, s.components(connections)+strings.Join(jobs, "")), acctest.Deployment(strategy("500ms", "2m")))
		}
		web, app := w.site(), w.site()
		t.Cleanup(func() { w.expectLeft("db.data") })
		w.run(
			resource.TestStep{
				Config: config("1.0.0", "20", writes),
				Check: resource.ComposeTestCheckFunc(w.look, web.learn("web/http"), app.learn("app/http"),
					web.answersFrom(s.replicas), app.answers("/dial?addr=db:5432", "connected")),
			},
			unchanged(config("1.0.0", "20", writes)),
			resource.TestStep{ // the auditor fails unless the row is still there
				Config: config("1.1.0", "30", writes, reads),
				ConfigPlanChecks: planned(plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
					changes("app: keep", "auditor: create 1 instance (image sha256:…", "cache: keep", "clerk: keep",
						"db: replace 1 instance, stop-first, single-writer volume data: a gap is expected (args)", "pages: keep", "web: keep")),
				Check: app.answers("/dial?addr=db:5432", "connected"),
			},
		)
	})
}

// answersFrom expects that many instances to answer within a while.
func (s *site) answersFrom(n int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		seen := map[string]bool{}
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && len(seen) < n; {
			text, err := s.get("/")
			if err != nil {
				return err
			}
			if !strings.HasPrefix(text, "nginx on ") {
				return fmt.Errorf("%s answers %q", s.url, text)
			}
			seen[text] = true
		}
		if len(seen) != n {
			return fmt.Errorf("%d instances answered: %v, want %d", len(seen), seen, n)
		}
		return nil
	}
}
