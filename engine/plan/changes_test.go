package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

func TestDifferences(t *testing.T) {
	base := component{Image: "a", Secrets: []string{"KEY"}}
	in := catalog.MergeInput{SecretHashes: map[string]string{"KEY": "1", "OTHER": "2"}}
	for name, test := range map[string]struct {
		change func(c *component, in *catalog.MergeInput)
		want   string
	}{
		"nothing":    {func(*component, *catalog.MergeInput) {}, ""},
		"a spelling": {func(c *component, _ *catalog.MergeInput) { c.StopGracePeriod = "10000ms" }, ""},
		"tag":        {func(c *component, _ *catalog.MergeInput) { c.Image = "other-a" }, ""},
		"image":      {func(c *component, _ *catalog.MergeInput) { c.Image = "b" }, "image"},
		"env": {func(_ *component, in *catalog.MergeInput) {
			in.EnvironmentVariables = engine.SetVariables(map[string]string{"A": ""})
		}, "env"},
		"secret value": {func(_ *component, in *catalog.MergeInput) { in.SecretHashes = map[string]string{"KEY": "3"} }, "secrets"},
		"secret name":  {func(c *component, _ *catalog.MergeInput) { c.Secrets = []string{"OTHER"} }, "secrets"},
		"trigger":      {func(_ *component, in *catalog.MergeInput) { in.RestartTrigger = "1" }, "restart_trigger"},
		"stop":         {func(_ *component, in *catalog.MergeInput) { in.DesiredState = "stopped" }, "replicas"},
		"depends_on":   {func(c *component, _ *catalog.MergeInput) { c.DependsOn = []string{"b"} }, "depends_on"},
		"many": {func(c *component, _ *catalog.MergeInput) {
			c.Image, c.User, c.Replicas, c.Command = "b", "1", ptr(2), []string{"x"}
		}, "command, image, replicas, user"},
		"trigger, more": {func(c *component, in *catalog.MergeInput) { c.Replicas, in.RestartTrigger = ptr(2), "1" }, "replicas, restart_trigger"},
	} {
		t.Run(name, func(t *testing.T) {
			c, changed := base, in
			test.change(&c, &changed)
			was := effective(t, map[string]component{"api": base}, in)["api"]
			want := effective(t, map[string]component{"api": c}, changed)["api"]
			if got := strings.Join(Differences(was, want), ", "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if back := strings.Join(Differences(want, was), ", "); back != test.want {
				t.Errorf("the other way round it is %q", back)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	fixed := map[string]engine.Port{"p": {ContainerPort: 1, HostPort: ptr(9000)}}
	data := map[string]engine.Volume{"data": {Path: "/data"}}
	prior := effective(t, map[string]component{
		"api": {Image: "a", Replicas: ptr(2)}, "db": {Image: "a", Volumes: data}, "worker": {Image: "a", Ports: fixed}, "old": {Image: "a"},
		"grow": {Image: "a"}, "sleep": {Image: "a"}, "wake": {Image: "a", Replicas: ptr(0)}, "more": {Image: "a"}, "rest": {Image: "a"}, "idle": {Image: "a", Replicas: ptr(0)},
	}, catalog.MergeInput{})
	desired := effective(t, map[string]component{
		"api": {Image: "b", Replicas: ptr(2), Env: map[string]string{"A": "b"}}, "db": {Image: "a", Volumes: data}, "worker": {Image: "a", Ports: fixed, User: "1"}, "new": {Image: "c"},
		"grow": {Image: "a", Replicas: ptr(3)}, "sleep": {Image: "a", Replicas: ptr(0)}, "wake": {Image: "b"}, "more": {Image: "b", Replicas: ptr(2)}, "rest": {Image: "b", Replicas: ptr(0)}, "idle": {Image: "a", Replicas: ptr(0), User: "1"},
	}, catalog.MergeInput{})
	want := []string{
		"api: replace 2 instances, start-first (env, image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)",
		"db: keep",
		"grow: scale 1 to 3 instances",
		"idle: change without instances (user)",
		"more: replace 1 instance with 2, start-first (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)",
		"new: create 1 instance (image sha256:cccccccccccc)",
		"old: remove 1 instance",
		"rest: scale 1 to 0 instances (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)",
		"sleep: scale 1 to 0 instances",
		"wake: create 1 instance (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)",
		"worker: replace 1 instance, stop-first, fixed host port 9000: a gap is expected (user)",
	}
	if got := Changes(prior, desired, Traits{}); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	gaps := Gaps(prior, desired, Traits{})
	if len(gaps) != 1 || !strings.HasPrefix(gaps[0], "worker: ") || !strings.Contains(gaps[0], "Leave host_port out") {
		t.Errorf("gaps %q", gaps)
	}
	if got := Gaps(prior, desired, Traits{StartFirstPorts: true}); len(got) > 0 {
		t.Errorf("told without a gap: %q", got)
	}
	if got := Changes(nil, effective(t, map[string]component{"db": {Image: "a"}}, catalog.MergeInput{}), Traits{}); !slices.Equal(got, []string{"db: create 1 instance (image sha256:aaaaaaaaaaaa)"}) {
		t.Errorf("first deployment: %q", got)
	}
}

func TestWithRepairsTellsOneStoryPerComponent(t *testing.T) {
	got := WithRepairs(
		[]string{"api: keep", "db: keep", "web: replace 1 instance, start-first (env)"},
		[]string{"api: instance is gone", "api: extra instance api-1-2", "web: instance is gone", "old: extra instance old-1-1"},
	)
	want := []string{
		"api: repair (instance is gone; extra instance api-1-2)", "db: keep",
		"old: remove (extra instance old-1-1)", "web: replace 1 instance, start-first (env)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
