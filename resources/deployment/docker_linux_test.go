package deployment_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// newDockerWorld is newWorld on a Docker Engine of its own.
func newDockerWorld(t *testing.T) (*world, *testdocker.Daemon) {
	t.Helper()
	d := testdocker.New(t, testdocker.Options{})
	w := newWorld(t)
	w.node = fmt.Sprintf("resource \"slipway_node\" \"here\" {\n  team_id = slipway_team.acme.id\n  name    = \"here\"\n  docker  = { host = %q }\n}\n", d.Host)
	return w, d
}

// A product's life on a Docker node: a first deployment, an upgrade, versions
// that cannot work, changes by hand, and the end.
func TestAccDocker(t *testing.T) {
	t.Parallel()
	w, d := newDockerWorld(t)
	first, second := w.app("1"), w.app("2")
	crash := w.app("3", "EXIT_NOW", "3", "EXIT_LINES", "cannot go on")
	sick := w.app("4", "HEALTH", "fail")
	store := component("store", first, `volumes = { data = { path = "/data", on_destroy = "delete" } }`, `files = { "/etc/app/x" = { content = "y" } }`)
	shop := func(image string) string { return api(image, `depends_on = ["store"]`) + store }
	config := func(name, image string) string { return w.config(name, shop(image)) }
	web := &site{t: t}
	docker := d.Client(t)
	byHand := func(do func(ctx context.Context) error) func() {
		return func() {
			if err := do(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	var url, storeBefore string
	w.run(
		resource.TestStep{
			Config: config("1.0.0", first),
			Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1"), keep("endpoints.api/http.url", &url),
				has(t, d, "container shop-api-1-1", "container shop-store-1-1", "network slipway-shop", "volume shop-store-data"),
				idOf(docker, "shop-store-1-1", &storeBefore)),
			ConfigStateChecks: []statecheck.StateCheck{state("health", knownvalue.StringExact("healthy"))},
		},
		unchanged(config("1.0.0", first)),
		resource.TestStep{
			Config: config("1.1.0", second),
			ConfigPlanChecks: planned(changes(
				"api: replace 1 instance, stop-first, published port http: a gap is expected…", "store: keep")),
			Check: resource.ComposeTestCheckFunc(web.answers("/", "2"), same("endpoints.api/http.url", &url),
				has(t, d, "container shop-api-2-1", "container shop-store-1-1", "network slipway-shop", "volume shop-store-data"),
				sameID(docker, "shop-store-1-1", &storeBefore)),
		},
		unchanged(config("1.1.0", second)),
		resource.TestStep{
			Config:      config("1.2.0", crash),
			ExpectError: told("Component: api", "Exit code: 3", "cannot go on"),
		},
		offeredAgain("acme/shop/1.1.0", func() {}, web.answers("/", "2"), has(t, d, "container shop-api-2-1", "container shop-store-1-1", "network slipway-shop", "volume shop-store-data")),
		resource.TestStep{
			Config:      w.with(strategy("200ms", "2s"), "1.2.0", shop(sick)),
			ExpectError: told("Component: api", "503"),
		},
		offeredAgain("acme/shop/1.1.0", func() {}, web.answers("/", "2")),
		resource.TestStep{
			PreConfig: byHand(func(ctx context.Context) error {
				_, err := docker.ContainerPause(ctx, "shop-store-1-1", client.ContainerPauseOptions{})
				return err
			}),
			Config: config("1.1.0", second),
			ConfigPlanChecks: planned(plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
				changes("api: keep", "store: repair (instance store-1-1 is paused)…")),
			Check: web.answers("/", "2"),
		},
		resource.TestStep{
			PreConfig: byHand(func(ctx context.Context) error {
				for _, name := range d.Things(t) {
					if api, is := strings.CutPrefix(name, "container shop-api-"); is {
						_, err := docker.ContainerRemove(ctx, "shop-api-"+api, client.ContainerRemoveOptions{Force: true})
						return err
					}
				}
				return fmt.Errorf("there is no api")
			}),
			Config: config("1.1.0", second),
			Check:  web.answers("/", "2"),
		},
		unchanged(config("1.1.0", second)),
	)
	if left := d.Things(t); len(left) > 0 {
		t.Errorf("destroy left %v", left)
	}
}

// A deployment that fails for the first time leaves nothing.
func TestAccDockerFirstFailure(t *testing.T) {
	t.Parallel()
	w, d := newDockerWorld(t)
	crash := w.app("1", "EXIT_NOW", "3", "EXIT_LINES", "cannot go on")
	w.run(resource.TestStep{
		Config:      w.config("1.0.0", api(crash)),
		ExpectError: told("Component: api", "Exit code: 3", "cannot go on"),
	})
	if left := d.Things(t); len(left) > 0 {
		t.Errorf("the failed deployment left %v", left)
	}
}

// Secrets reach the container, and appear in no state.
func TestAccDockerSecrets(t *testing.T) {
	t.Parallel()
	w, _ := newDockerWorld(t)
	config := acctest.Join(w.baseWith(`type = "staging"
  secrets_wo = { TOKEN = "canary-docker" }
  secrets_wo_version = 1`), version("1.0.0", api(w.app("1"), `secrets = ["TOKEN"]`, `secret_files = { "/run/token" = "TOKEN" }`)), acctest.Deployment(brisk))
	web := &site{t: t}
	w.run(
		resource.TestStep{Config: config, Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/read?path=/run/token", "canary-docker"), noCanary("canary-docker"))},
		unchanged(config),
	)
}

func noCanary(canary string) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		if strings.Contains(s.String(), canary) {
			return fmt.Errorf("the state has a secret")
		}
		return nil
	}
}

// has expects the Docker Engine to have exactly these things.
func has(t *testing.T, d *testdocker.Daemon, want ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if got := d.Things(t); !slices.Equal(got, want) {
			return fmt.Errorf("the Docker Engine has %v, want %v", got, want)
		}
		return nil
	}
}

// idOf notes the id of a container, sameID expects it again.
func idOf(docker *client.Client, name string, into *string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		found, err := docker.ContainerInspect(context.Background(), name, client.ContainerInspectOptions{})
		*into = found.Container.ID
		return err
	}
}

func sameID(docker *client.Client, name string, want *string) resource.TestCheckFunc {
	return func(state *terraform.State) error {
		var now string
		if err := idOf(docker, name, &now)(state); err != nil {
			return err
		}
		if now != *want {
			return fmt.Errorf("container %s is %s, was %s", name, now, *want)
		}
		return nil
	}
}
