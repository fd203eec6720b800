package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

func ptr[T any](v T) *T { return &v }

// effective merges components whose images are pinned to digest, the component's
// own image when it names one.
func effective(t interface{ Fatal(...any) }, cs map[string]engine.Component, in catalog.MergeInput) map[string]catalog.Effective {
	in.Components, in.Images = cs, map[string]string{}
	for name, c := range cs {
		in.Images[name] = c.Image + "@sha256:" + strings.Repeat(c.Image[len(c.Image)-1:], 64)
	}
	merged, err := catalog.Merge(in)
	if err != nil {
		t.Fatal(err)
	}
	return merged
}

func run(e catalog.Effective, component string, revision int, ordinals ...int) []Instance {
	var all []Instance
	for _, o := range ordinals {
		all = append(all, Instance{
			Name: component + "-" + string(rune('0'+revision)) + "-" + string(rune('0'+o)), Component: component,
			Ordinal: o, Revision: revision, ConfigHash: e.ConfigHash, Usable: true,
		})
	}
	return all
}

func broken(i []Instance, problem string) []Instance {
	for n := range i {
		i[n].Usable, i[n].Problem = false, problem
	}
	return i
}

type component = engine.Component

func TestMake(t *testing.T) {
	volume := map[string]engine.Volume{"data": {Path: "/data"}}
	fixed := map[string]engine.Port{"p": {ContainerPort: 1, HostPort: ptr(9000)}}
	step := func(s Step) *Step { s.Component = "api"; return &s }
	for name, test := range map[string]struct {
		was, want *component // nil: not served, not wanted
		running   func(was, want catalog.Effective) []Instance
		step      *Step
	}{
		"first": {nil, &component{Image: "a", Replicas: ptr(2)}, nil,
			step(Step{Action: Create, Create: 2, StartFirst: true})},
		"leftovers of a crash": {nil, &component{Image: "a", Volumes: volume},
			func(_, want catalog.Effective) []Instance {
				return broken(run(want, "api", 1, 1), "instance is created")
			},
			step(Step{Action: Create, Retire: []string{"api-1-1"}, Create: 1, Gap: "single-writer volume data"})},
		"keep": {&component{Image: "a"}, &component{Image: "a"},
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1) },
			step(Step{Action: Keep, Keep: []string{"api-1-1"}})},
		"keep with another dependency": {&component{Image: "a"}, &component{Image: "a", DependsOn: []string{"gone"}},
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1) },
			step(Step{Action: Keep, Keep: []string{"api-1-1"}, DependsOn: []string{"gone"}})},
		"image": {&component{Image: "a"}, &component{Image: "b"},
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1) },
			step(Step{Action: Replace, Retire: []string{"api-1-1"}, Create: 1, StartFirst: true, Why: "image"})},
		"env and ports": {&component{Image: "a"}, &component{Image: "a", Env: map[string]string{"A": "b"}, Ports: fixed},
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1) },
			step(Step{Action: Replace, Retire: []string{"api-1-1"}, Create: 1, StartFirst: true, Why: "env, ports"})},
		"half way": {&component{Image: "a", Replicas: ptr(2)}, &component{Image: "b", Replicas: ptr(2)},
			func(was, want catalog.Effective) []Instance {
				return slices.Concat(run(was, "api", 1, 1, 2), run(want, "api", 2, 1))
			},
			step(Step{Action: Replace, Keep: []string{"api-2-1"}, Retire: []string{"api-1-1", "api-1-2"}, Create: 1, StartFirst: true, Why: "image"})},
		"up": {&component{Image: "a"}, &component{Image: "a", Replicas: ptr(3)},
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1) },
			step(Step{Action: Scale, Keep: []string{"api-1-1"}, Create: 2, StartFirst: true, Why: "replicas"})},
		"down": {&component{Image: "a", Replicas: ptr(3)}, &component{Image: "a"},
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 3, 2, 1) },
			step(Step{Action: Scale, Keep: []string{"api-1-1"}, Retire: []string{"api-1-2", "api-1-3"}, Why: "replicas"})},
		"newest stay": {&component{Image: "a", Replicas: ptr(2)}, &component{Image: "a"},
			func(was, _ catalog.Effective) []Instance {
				return slices.Concat(run(was, "api", 1, 1), run(was, "api", 2, 2))
			},
			step(Step{Action: Scale, Keep: []string{"api-2-2"}, Retire: []string{"api-1-1"}, Why: "replicas"})},
		"suspended": {&component{Image: "a"}, &component{Image: "a", Replicas: ptr(0)},
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1) },
			step(Step{Action: Scale, Retire: []string{"api-1-1"}, Why: "replicas"})},
		"exited": {&component{Image: "a", Replicas: ptr(2)}, &component{Image: "a", Replicas: ptr(2)},
			func(was, _ catalog.Effective) []Instance {
				return slices.Concat(broken(run(was, "api", 1, 1), "instance is exited"), run(was, "api", 1, 2))
			},
			step(Step{Action: Repair, Keep: []string{"api-1-2"}, Retire: []string{"api-1-1"}, Create: 1, StartFirst: true, Why: "instance is exited"})},
		"gone": {&component{Image: "a"}, &component{Image: "a"}, nil,
			step(Step{Action: Repair, Create: 1, StartFirst: true, Why: "instance is gone"})},
		"one too many": {&component{Image: "a"}, &component{Image: "a"},
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1, 2) },
			step(Step{Action: Repair, Keep: []string{"api-1-1"}, Retire: []string{"api-1-2"}, Why: "more instances than wanted"})},
		"scale and repair": {&component{Image: "a"}, &component{Image: "a", Replicas: ptr(2)},
			func(was, _ catalog.Effective) []Instance { return broken(run(was, "api", 1, 1), "instance is lost") },
			step(Step{Action: Scale, Retire: []string{"api-1-1"}, Create: 2, StartFirst: true, Why: "replicas, instance is lost"})},
		"removed": {&component{Image: "a"}, nil,
			func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1) },
			step(Step{Action: Remove, Retire: []string{"api-1-1"}})},
		"removed and gone": {&component{Image: "a"}, nil, nil, nil},
		"stranger":         {nil, nil, func(was, _ catalog.Effective) []Instance { return run(was, "api", 1, 1) }, step(Step{Action: Remove, Retire: []string{"api-1-1"}})},
	} {
		t.Run(name, func(t *testing.T) {
			was, want := map[string]engine.Component{}, map[string]engine.Component{}
			if test.was != nil {
				was["api"] = *test.was
			}
			if test.want != nil {
				want["api"] = *test.want
			}
			prior, desired := effective(t, was, catalog.MergeInput{}), effective(t, want, catalog.MergeInput{})
			var observed []Instance
			if test.running != nil {
				observed = test.running(prior["api"], desired["api"])
			}
			var expected []Step
			if test.step != nil {
				expected = []Step{*test.step}
			}
			if diff := cmp.Diff(expected, Make(prior, Desired{desired}, observed, Traits{}).Steps); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGaps(t *testing.T) {
	ports := func(p ...engine.Port) map[string]engine.Port {
		all := map[string]engine.Port{}
		for i, p := range p {
			p.ContainerPort = i + 1
			all[string(rune('a'+i))] = p
		}
		return all
	}
	volume := func(v engine.Volume) map[string]engine.Volume { return map[string]engine.Volume{"data": v} }
	for name, test := range map[string]struct {
		was, want component
		traits    Traits
		gap       string
	}{
		"none":                       {component{}, component{}, Traits{}, ""},
		"volume":                     {component{Volumes: volume(engine.Volume{})}, component{Volumes: volume(engine.Volume{})}, Traits{StartFirstPorts: true}, "single-writer volume data"},
		"read only":                  {component{Volumes: volume(engine.Volume{ReadOnly: true})}, component{Volumes: volume(engine.Volume{})}, Traits{}, ""},
		"many writers":               {component{Volumes: volume(engine.Volume{SingleWriter: ptr(false)})}, component{Volumes: volume(engine.Volume{SingleWriter: ptr(false)})}, Traits{}, ""},
		"was a single writer":        {component{Volumes: volume(engine.Volume{})}, component{Volumes: volume(engine.Volume{SingleWriter: ptr(false)})}, Traits{}, "single-writer volume data"},
		"new volume":                 {component{}, component{Volumes: volume(engine.Volume{})}, Traits{}, ""},
		"port":                       {component{Ports: ports(engine.Port{HostPort: ptr(9000)})}, component{Ports: ports(engine.Port{HostPort: ptr(9000)})}, Traits{}, "fixed host port 9000"},
		"port that moves":            {component{Ports: ports(engine.Port{HostPort: ptr(9000)})}, component{Ports: ports(engine.Port{HostPort: ptr(9000)})}, Traits{StartFirstPorts: true}, ""},
		"other port":                 {component{Ports: ports(engine.Port{HostPort: ptr(9001)})}, component{Ports: ports(engine.Port{HostPort: ptr(9000)})}, Traits{}, ""},
		"other protocol":             {component{Ports: ports(engine.Port{HostPort: ptr(53)})}, component{Ports: ports(engine.Port{HostPort: ptr(53), Protocol: "udp"})}, Traits{}, ""},
		"udp":                        {component{Ports: ports(engine.Port{HostPort: ptr(53), Protocol: "udp"})}, component{Ports: ports(engine.Port{HostPort: ptr(53), Protocol: "udp"})}, Traits{}, "fixed host port 53/udp"},
		"chosen port":                {component{Ports: ports(engine.Port{HostPort: ptr(0)}, engine.Port{})}, component{Ports: ports(engine.Port{HostPort: ptr(0)}, engine.Port{})}, Traits{}, "published port a"},
		"chosen port that moves":     {component{Ports: ports(engine.Port{HostPort: ptr(0)})}, component{Ports: ports(engine.Port{HostPort: ptr(0)})}, Traits{StartFirstPorts: true}, ""},
		"unpublished":                {component{Ports: ports(engine.Port{})}, component{Ports: ports(engine.Port{})}, Traits{}, ""},
		"published anew":             {component{Ports: ports(engine.Port{})}, component{Ports: ports(engine.Port{HostPort: ptr(0)})}, Traits{}, ""},
		"volume, port, another port": {component{Volumes: volume(engine.Volume{}), Ports: ports(engine.Port{HostPort: ptr(1)}, engine.Port{HostPort: ptr(2)})}, component{Volumes: volume(engine.Volume{}), Ports: ports(engine.Port{HostPort: ptr(1)}, engine.Port{HostPort: ptr(2)})}, Traits{}, "single-writer volume data, fixed host port 1, fixed host port 2"},
	} {
		t.Run(name, func(t *testing.T) {
			test.was.Image, test.want.Image = "a", "b"
			prior := effective(t, map[string]component{"api": test.was}, catalog.MergeInput{})
			desired := effective(t, map[string]component{"api": test.want}, catalog.MergeInput{})
			s := Make(prior, Desired{desired}, run(prior["api"], "api", 1, 1), test.traits).Steps[0]
			if s.Gap != test.gap || s.StartFirst != (test.gap == "") {
				t.Errorf("gap %q, start first %v, want %q", s.Gap, s.StartFirst, test.gap)
			}
			gaps := Gaps(prior, desired, test.traits)
			if test.gap == "" && len(gaps) > 0 || test.gap != "" && (len(gaps) != 1 || !strings.Contains(gaps[0], test.gap)) {
				t.Errorf("gaps %q, want %q", gaps, test.gap)
			}
			unknown := run(prior["api"], "api", 1, 1)
			unknown[0].ConfigHash = "of a failed revision"
			if s := Make(prior, Desired{desired}, unknown, test.traits).Steps[0]; s.Gap == "" && obstacle(desired["api"], desired["api"], test.traits) != "" {
				t.Error("an instance of unknown configuration is trusted to leave volumes and ports alone")
			}
		})
	}
}

func TestOrder(t *testing.T) {
	prior := effective(t, map[string]component{
		"cache": {Image: "a"}, "store": {Image: "a", DependsOn: []string{"cache"}}, "mail": {Image: "a", DependsOn: []string{"store", "cache"}}, "db": {Image: "a"},
	}, catalog.MergeInput{})
	desired := effective(t, map[string]component{
		"web": {Image: "b", DependsOn: []string{"api", "auth"}}, "api": {Image: "b", DependsOn: []string{"db"}}, "auth": {Image: "b", DependsOn: []string{"db"}}, "db": {Image: "a"},
	}, catalog.MergeInput{})
	var observed []Instance
	for name, e := range prior {
		observed = append(observed, run(e, name, 1, 1)...)
	}
	steps := Make(prior, Desired{desired}, observed, Traits{}).Steps
	var got []string
	for _, s := range steps {
		got = append(got, s.Component)
	}
	if want := strings.Fields("db api auth web mail store cache"); !slices.Equal(got, want) {
		t.Errorf("order is %v, want %v", got, want)
	}
	var levels []string
	for _, level := range Levels(steps) {
		var names []string
		for _, s := range level {
			names = append(names, s.Component)
		}
		levels = append(levels, strings.Join(names, "+"))
	}
	if want := strings.Fields("db api+auth web mail store cache"); !slices.Equal(levels, want) {
		t.Errorf("levels are %v, want %v", levels, want)
	}
}
