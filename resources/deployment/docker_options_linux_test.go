package deployment_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// optionsNetwork is a network that the component joins.
const optionsNetwork = "options-backend"

// rights is how everything begins to say which rights there are.
const rights = "security          = {"

// everything is a component that says something in every attribute.
func everything(image string, change ...string) string {
	return strings.NewReplacer(change...).Replace(fmt.Sprintf(`    api = {
      image             = %q
      command           = ["/app"]
      args              = ["serve", "well"]
      env               = { DATABASE_HOST = "db" }
      files             = { "/etc/app/x" = { content = "from the plan", mode = "0600" } }
      ports             = { http = { container_port = 8080, host_port = 0, host_address = "127.0.0.1" }, dns = { container_port = 53, protocol = "udp" } }
      volumes           = { scratch = { path = "/scratch", on_destroy = "delete", driver_options = { type = "tmpfs", device = "tmpfs", o = "size=1m" } } }
      tmpfs             = { "/cache" = { size = "1Mi" } }
      host_paths        = { "/host" = { source = "/usr/share", read_only = true } }
      replicas          = 1
      resources         = { cpu = 0.5, memory = "128Mi", pids = 100 }
      user              = "0:0"
      working_dir       = "/etc"
      hostname          = "shop"
      stop_signal       = "SIGINT"
      stop_grace_period = "3s"
      restart           = "on_failure"
      health_checks     = { up = { http = { port = 8080, path = "/healthz" } }, ready = { exec = { command = ["/app", "-h"] }, interval = "1h", on_deploy = false } }
      security          = { capabilities_drop = ["ALL"], capabilities_add = ["NET_BIND_SERVICE"] }
      logging           = { driver = "local", max_size = "1Mi", max_files = 2, driver_options = { compress = "false" } }
      labels            = { team = "blue" }
      extra_hosts       = { legacy = "10.255.0.1" }
      init              = true
      shm_size          = "32Mi"
      ulimits           = { nofile = { soft = 1024, hard = 2048 } }
      dns               = { servers = ["10.255.0.53"], search = ["acme.internal"], options = ["ndots:2"] }
      networks          = [%q]
      sysctls           = { "kernel.msgmax" = "16384" }
      devices           = { "/dev/nothing" = { source = "/dev/null", permissions = "rw" } }
    }
`, image, optionsNetwork))
}

// Everything that a component can say reaches the container; nothing is to be
// done then, and a change of any of it is planned by its name.
func TestAccDockerHonoursEverything(t *testing.T) {
	t.Parallel()
	d := testdocker.Shared(t)
	docker := d.Client(t)
	makeNetwork(t, docker, optionsNetwork)
	w := newWorld(t, acctest.OnEngine(t, d, fmt.Sprintf(`docker = {
    host               = %q
    allowed_host_paths = ["/usr/share"]
    allowed_devices    = ["/dev/null"]
  }`, d.Host)))
	image := w.app("1")
	config := func(name string, change ...string) string {
		return w.config(name, everything(image, change...), `prefix = "options"`)
	}
	web := &site{t: t}
	var before string
	w.run(
		resource.TestStep{
			Config: config("1.0.0"),
			Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/read?path=/etc/app/x", "from the plan"),
				web.answers("/read?path=/proc/sys/kernel/msgmax", "16384"), honours(t, docker, "options-api-1-1"), idOf(docker, "options-api-1-1", &before)),
		},
		unchanged(config("1.0.0")),
		resource.TestStep{
			Config: config("1.1.0", `"10.255.0.53"`, `"10.255.0.54"`, `["`+optionsNetwork+`"]`, "[]", `"16384"`, `"8192"`, `permissions = "rw"`, `permissions = "r"`,
				`max_files = 2`, `max_files = 3`, `size=1m`, `size=2m`, "scratch", "other"),
			PlanOnly: true, ExpectNonEmptyPlan: true,
			ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: planned(changes(
				"api: replace 1 instance, stop-first, published port http: a gap is expected (devices, dns, logging, networks, sysctls, volumes)")).PreApply},
		},
		resource.TestStep{
			Config: config("1.1.0", `permissions = "rw"`, `permissions = "rw" }, "/dev/zero" = { source = "/dev/zero"`), PlanOnly: true,
			ExpectError: told("Plan deployment: unsupported", "components.api.devices./dev/zero.source", "allowed_devices"),
		},
		resource.TestStep{
			Config: config("1.1.0", `device = "tmpfs", o = "size=1m"`, `device = "/etc", o = "bind"`), PlanOnly: true,
			ExpectError: told("Plan deployment: unsupported", "components.api.volumes.scratch.driver_options", "allowed_host_paths"),
		},
		resource.TestStep{
			Config: config("1.1.0", rights, "security = { privileged = true,"), PlanOnly: true,
			ExpectError: told("Plan deployment: unsupported", "components.api.security.privileged", "docker.allow_privileged = true"),
		},
		resource.TestStep{
			Config: config("1.1.0", `["NET_BIND_SERVICE"]`, `["SYS_ADMIN", "NET_ADMIN"]`), PlanOnly: true,
			ExpectError: told("Plan deployment: unsupported", "components.api.security.capabilities_add", "does not allow SYS_ADMIN, with", "docker.allow_privileged = true"),
		},
		resource.TestStep{
			Config:      config("1.1.0", `["`+optionsNetwork+`"]`, `["nobody-made-it"]`),
			ExpectError: told("rollout failed", "components.api.networks.0", "nobody-made-it", "it was not touched"),
		},
		resource.TestStep{Config: config("1.0.0"), Check: sameID(docker, "options-api-1-1", &before)},
		resource.TestStep{ // the node comes to allow it in the same run
			Config: strings.Replace(config("1.1.0", rights, "security = { privileged = true,"),
				"allowed_devices ", "allow_privileged = true\n    allowed_devices ", 1), PlanOnly: true, ExpectNonEmptyPlan: true,
		},
	)
}

// makeNetwork makes a network for the time of the test.
func makeNetwork(t *testing.T, docker *client.Client, name string) {
	t.Helper()
	made, err := docker.NetworkCreate(t.Context(), name, client.NetworkCreateOptions{Driver: "bridge"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := docker.NetworkRemove(ctx, made.ID, client.NetworkRemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// honours compares the container with everything, as Docker tells it.
func honours(t *testing.T, docker *client.Client, name string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		found, err := docker.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		is, host := found.Container.Config, found.Container.HostConfig
		var mounts []string
		for _, m := range found.Container.Mounts {
			mounts = append(mounts, fmt.Sprint(m.Type, " ", m.Destination, " ", m.RW))
		}
		slices.Sort(mounts)
		volume, err := docker.VolumeInspect(t.Context(), "options-api-scratch", client.VolumeInspectOptions{})
		if err != nil {
			return err
		}
		for _, pair := range [][2]any{
			{is.Entrypoint, "[/app]"}, {is.Cmd, "[serve well]"}, {slices.Contains(is.Env, "DATABASE_HOST=db"), true},
			{is.User, "0:0"}, {is.WorkingDir, "/etc"}, {is.Hostname, "shop"}, {is.StopSignal, "SIGINT"}, {*is.StopTimeout, 3},
			{is.Labels["team"], "blue"}, {is.Healthcheck.Test, "[CMD /app -h]"}, {is.Healthcheck.Interval, time.Hour},
			{slices.Sorted(maps.Keys(portsOf(is))), "[53/udp 8080/tcp]"},
			{host.NanoCPUs, 500000000}, {host.Memory, 128 << 20}, {host.MemorySwap, 128 << 20}, {*host.PidsLimit, 100},
			{host.RestartPolicy.Name, "on-failure"}, {*host.Init, true}, {host.ShmSize, 32 << 20}, {host.Tmpfs["/cache"], "rw,nosuid,nodev,mode=1777,size=1048576"},
			{host.CapDrop, "[ALL]"}, {host.SecurityOpt, "[no-new-privileges:true]"}, {host.Privileged, false}, {host.ReadonlyRootfs, false},
			{host.LogConfig, "{local map[compress:false max-file:2 max-size:1048576]}"}, {host.ExtraHosts, "[legacy:10.255.0.1]"},
			{*host.Ulimits[0], "{nofile 2048 1024}"}, {host.DNS, "[10.255.0.53]"}, {host.DNSSearch, "[acme.internal]"}, {host.DNSOptions, "[ndots:2]"},
			{host.Sysctls, "map[kernel.msgmax:16384]"}, {host.Devices, "[{/dev/null /dev/nothing rw}]"},
			{slices.Sorted(maps.Keys(found.Container.NetworkSettings.Networks)), "[" + optionsNetwork + " slipway-options]"},
			{mounts, "[bind /host false volume /scratch true]"}, {volume.Volume.Options["o"], "size=1m"},
			{strings.Contains(fmt.Sprint(host.CapAdd), "NET_BIND_SERVICE"), true},
		} {
			if fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
				t.Errorf("the container has %v, want %v", pair[0], pair[1])
			}
		}
		return nil
	}
}

func portsOf(c *container.Config) map[string]bool {
	all := map[string]bool{}
	for p := range c.ExposedPorts {
		all[p.String()] = true
	}
	return all
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
