package catalog

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func one(c engine.Component) map[string]engine.Component {
	return map[string]engine.Component{"api": c}
}

func TestCanonicalSeesEveryField(t *testing.T) {
	base := Canonical(one(full()))
	all := mutants("", reflect.ValueOf(full()))
	for _, m := range all {
		if bytes.Equal(base, Canonical(one(m.value.Interface().(engine.Component)))) {
			t.Errorf("%s can change without the canonical form", m.path)
		}
	}
	if len(all) < 100 {
		t.Errorf("only %d places were tried", len(all))
	}
}

// TestDigestStays guards the digests of sealed versions. It may only change
// together with a migration of what is stored.
func TestDigestStays(t *testing.T) {
	for name, test := range map[string]struct {
		component engine.Component
		want      string
	}{
		"least":               {engine.Component{Image: "nginx"}, "sha256:373a3cbdfdb7484dc5a527452549710c39e291dd4015622f348c2ef1b9ea64fa"},
		"first":               {first(), "sha256:756aceb83e4615feb9cfd49d10cf107343aa6f249382d1ed6964b54cf0f28544"},
		"before pre_snapshot": {withoutPreSnapshot(), "sha256:f5181928d713200a7ab1c19019ad5e97bdffa0ad85f30c003661e13f2f26c025"},
		"before routes":       {withoutRoutes(), "sha256:284a7851a7beda4bf2365f57628b2bace0ccd55ad693edf90a0f35f1f03f2de0"},
		"full":                {full(), "sha256:5946318ae1f30ed5539446d4ec93846c973e3c0f03ec47d632d50c77500e9988"},
	} {
		if got := Digest(one(test.component)); got != test.want {
			t.Errorf("%s: digest is %s, was %s: %s", name, got, test.want, Canonical(one(test.component)))
		}
	}
}

// withoutRoutes is full before there were routes and what came with them.
func withoutRoutes() engine.Component {
	c := full()
	c.Routes = nil
	http := c.Ports["http"]
	http.ProxyProtocol = false
	c.Ports["http"] = http
	return c
}

// first is full with those fields only that components had from the beginning.
func first() engine.Component {
	c := withoutPreSnapshot()
	c.DNS, c.Networks, c.Sysctls, c.Devices, c.GPUs = nil, nil, nil, nil, ""
	c.Logging.Driver, c.Logging.DriverOptions = "", nil
	data := c.Volumes["data"]
	data.Driver, data.DriverOptions = "", nil
	c.Volumes["data"] = data
	return c
}

// withoutPreSnapshot is full before volumes had a pre_snapshot.
func withoutPreSnapshot() engine.Component {
	c := withoutRoutes()
	data := c.Volumes["data"]
	data.PreSnapshot = nil
	c.Volumes["data"] = data
	return c
}

func TestCanonicalSpelling(t *testing.T) {
	check := func(h engine.HealthCheck) engine.Component {
		return engine.Component{Image: "a", HealthChecks: map[string]engine.HealthCheck{"up": h}}
	}
	file := func(f engine.File) engine.Component {
		return engine.Component{Image: "a", Files: map[string]engine.File{"/f": f}}
	}
	for name, pair := range map[string][2]engine.Component{
		"duration":      {{StopGracePeriod: "60s"}, {StopGracePeriod: "1m"}},
		"default":       {{StopGracePeriod: "10s"}, {}},
		"size":          {{ShmSize: "1Gi"}, {ShmSize: "1024Mi"}},
		"size in bytes": {{ShmSize: "1Ki"}, {ShmSize: "1024"}},
		"cpu":           {{Resources: &engine.Resources{CPU: ptr(0.5)}}, {Resources: &engine.Resources{CPU: ptr(.50)}}},
		"no resources":  {{Resources: &engine.Resources{}}, {}},
		"signal":        {{StopSignal: "term"}, {StopSignal: "15"}},
		"depends_on":    {{DependsOn: []string{"b", "a"}}, {DependsOn: []string{"a", "b", "a"}}},
		"secrets":       {{Secrets: []string{"b", "a"}}, {Secrets: []string{"a", "b"}}},
		"capabilities":  {{Security: &engine.Security{CapabilitiesAdd: []string{"KILL", "CHOWN"}}}, {Security: &engine.Security{CapabilitiesAdd: []string{"CHOWN", "KILL"}}}},
		"security":      {{Security: &engine.Security{}}, {}},
		"logging":       {{Logging: &engine.Logging{MaxSize: "10240Ki"}}, {}},
		"log driver":    {{Logging: &engine.Logging{Driver: "json-file", DriverOptions: map[string]string{}}}, {}},
		"volume driver": {{Volumes: map[string]engine.Volume{"a": {Driver: "local"}}}, {Volumes: map[string]engine.Volume{"a": {}}}},
		"networks":      {{Networks: []string{"b", "a"}}, {Networks: []string{"a", "b"}}},
		"permissions":   {{Devices: map[string]engine.Device{"/dev/a": {Permissions: "mwr"}}}, {Devices: map[string]engine.Device{"/dev/a": {}}}},
		"no dns":        {{DNS: &engine.DNS{Search: []string{}}}, {}},
		"dns options":   {{DNS: &engine.DNS{Options: []string{"b", "a"}}}, {DNS: &engine.DNS{Options: []string{"a", "b"}}}},
		"empty maps":    {{Env: map[string]string{}, Ports: map[string]engine.Port{}}, {}},
		"protocol":      {{Ports: map[string]engine.Port{"a": {ContainerPort: 1, Protocol: "tcp"}}}, {Ports: map[string]engine.Port{"a": {ContainerPort: 1}}}},
		"mode":          {file(engine.File{Content: "x", Mode: "644"}), file(engine.File{Content: "x"})},
		"base64":        {file(engine.File{ContentBase64: "aGk="}), file(engine.File{Content: "hi"})},
		"check":         {check(engine.HealthCheck{HTTP: &engine.HTTPCheck{Port: 1, Path: "/", Status: []int{204, 200}}, Timeout: "5000ms", Interval: "10000ms", StartPeriod: "0m"}), check(engine.HealthCheck{HTTP: &engine.HTTPCheck{Port: 1, Status: []int{200, 204}}})},
	} {
		if a, b := Canonical(one(pair[0])), Canonical(one(pair[1])); !bytes.Equal(a, b) {
			t.Errorf("%s: the same content differs:\n%s\n%s", name, a, b)
		}
	}
	for name, pair := range map[string][2]engine.Component{
		"order of arguments":    {{Args: []string{"a", "b"}}, {Args: []string{"b", "a"}}},
		"a chosen host port":    {{Ports: map[string]engine.Port{"a": {ContainerPort: 1, HostPort: ptr(0)}}}, {Ports: map[string]engine.Port{"a": {ContainerPort: 1}}}},
		"an empty variable":     {{Env: map[string]string{"A": ""}}, {}},
		"order of dns servers":  {{DNS: &engine.DNS{Servers: []string{"10.0.0.1", "10.0.0.2"}}}, {DNS: &engine.DNS{Servers: []string{"10.0.0.2", "10.0.0.1"}}}},
		"no rotation":           {{Logging: &engine.Logging{Driver: "journald"}}, {Logging: &engine.Logging{Driver: "local"}}},
		"no replicas":           {{Replicas: ptr(0)}, {}},
		"binary and text files": {file(engine.File{ContentBase64: "/w=="}), file(engine.File{Content: "/w=="})},
	} {
		if a, b := Canonical(one(pair[0])), Canonical(one(pair[1])); bytes.Equal(a, b) {
			t.Errorf("%s: different content is the same: %s", name, a)
		}
	}
}

var components = rapid.Custom(func(t *rapid.T) engine.Component {
	c := rapid.Make[engine.Component]().Draw(t, "component")
	if c.Resources != nil && c.Resources.CPU != nil {
		c.Resources.CPU = ptr(rapid.Float64Range(0.01, 64).Draw(t, "cpu"))
	}
	return c
})

func TestCanonicalIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := Canonical(one(components.Draw(t, "c")))
		var read map[string]engine.Component
		if err := json.Unmarshal(first, &read); err != nil {
			t.Fatal(err)
		}
		if second := Canonical(read); !bytes.Equal(first, second) {
			t.Fatalf("canonical form of the canonical form differs:\n%s\n%s", first, second)
		}
	})
}

func TestCanonicalIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := components.Draw(t, "c")
		shuffled := c
		shuffled.DependsOn, shuffled.Secrets = shuffle(t, c.DependsOn), shuffle(t, c.Secrets)
		if c.Security != nil {
			s := *c.Security
			s.CapabilitiesAdd, s.CapabilitiesDrop = shuffle(t, s.CapabilitiesAdd), shuffle(t, s.CapabilitiesDrop)
			shuffled.Security = &s
		}
		before := Canonical(one(c))
		if got := Canonical(one(shuffled)); !bytes.Equal(got, before) {
			t.Fatalf("order matters:\n%s\n%s", got, before)
		}
		if again := Canonical(one(c)); !bytes.Equal(again, before) {
			t.Fatal("making the canonical form changed its input")
		}
	})
}

func shuffle(t *rapid.T, list []string) []string {
	list = slices.Clone(list)
	random := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func TestRef(t *testing.T) {
	if got := Ref("acme/shop/1.4.0", "sha256:ab"); got != "acme/shop/1.4.0@sha256:ab" {
		t.Error(got)
	}
}

func TestDefaultsLeaveTheInputAlone(t *testing.T) {
	c := engine.Component{
		Image:        "a",
		Ports:        map[string]engine.Port{"http": {ContainerPort: 80}},
		HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 80}}},
		Security:     &engine.Security{}, Logging: &engine.Logging{},
	}
	before, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	d := Defaults(c)
	if after, _ := json.Marshal(c); !bytes.Equal(before, after) {
		t.Errorf("the input changed:\n%s\n%s", before, after)
	}
	if d.StopSignal != "" {
		t.Errorf("the stop signal is the image's, not %q", d.StopSignal)
	}
	want := `{"image":"a","ports":{"http":{"container_port":80,"protocol":"tcp"}},"replicas":1,"stop_grace_period":"10s","restart":"always",` +
		`"health_checks":{"up":{"http":{"port":80,"path":"/","host":"localhost","scheme":"http"},"interval":"10s","timeout":"5s","window":3,"threshold":3,` +
		`"start_period":"0s","on_deploy":true,"on_anomaly":"heal"}},"security":{"no_new_privileges":true},"logging":{"max_size":"10Mi","max_files":3},"shm_size":"64Mi"}`
	if got, _ := json.Marshal(d); string(got) != want {
		t.Errorf("defaults are\n%s, want\n%s", got, want)
	}
}
