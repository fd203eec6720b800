package catalog

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func ptr[T any](v T) *T { return &v }

// full has every field set to something that is not its default.
func full() engine.Component {
	return engine.Component{
		Image:       "registry.acme.dev/shop/api:1.4.0",
		Command:     []string{"/bin/api", "serve"},
		Args:        []string{"--verbose", "--port=8080"},
		Env:         map[string]string{"DATABASE_HOST": "db"},
		Secrets:     []string{"DB_PASSWORD", "API_KEY"},
		SecretFiles: map[string]string{"/run/key": "TLS_KEY"},
		Files: map[string]engine.File{
			"/etc/a": {Content: "hello", ContentBase64: "eA==", Mode: "0600"},
		},
		Ports: map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: ptr(9000), Protocol: "udp", HostAddress: "127.0.0.2", ProxyProtocol: true}},
		Routes: map[string]engine.Route{"web": {
			Host: "shop.acme.dev", PathPrefix: "/api", Port: 8080, Protocol: "h2c", ListenPort: 9001, StripPrefix: true,
			TLS:     &engine.RouteTLS{Issuer: "internal", CertificateSecret: "CERT", PrivateKeySecret: "CERT_KEY", RedirectHTTP: ptr(false)},
			Timeout: "30s", MaxBodySize: "1Mi", RequestHeaders: map[string]string{"X-A": "a"}, ResponseHeaders: map[string]string{"X-B": "b"},
			Sticky: &engine.RouteSticky{Cookie: "shop"},
		}},
		Volumes: map[string]engine.Volume{"data": {
			Path: "/data", ReadOnly: true, Size: "1Gi", OnDestroy: "delete", Snapshot: "on_upgrade", SingleWriter: ptr(false), Driver: "nfs", DriverOptions: map[string]string{"o": "hard"},
			PreSnapshot: &engine.PreSnapshot{Command: []string{"/bin/flush", "all"}, Timeout: "2m"},
		}},
		Tmpfs:     map[string]engine.Tmpfs{"/tmp": {Size: "64Mi"}},
		HostPaths: map[string]engine.HostPath{"/host": {Source: "/srv", ReadOnly: true}},
		DependsOn: []string{"db", "cache"},
		Replicas:  ptr(3),
		Resources: &engine.Resources{CPU: ptr(0.5), Memory: "256Mi", Pids: ptr(100)},
		User:      "1000:1000", WorkingDir: "/srv", Hostname: "api",
		StopSignal: "SIGINT", StopGracePeriod: "30s", Restart: "never",
		HealthChecks: map[string]engine.HealthCheck{"up": {
			HTTP: &engine.HTTPCheck{Port: 8080, PortName: "http", Path: "/healthz", Host: "shop", Scheme: "https", Status: []int{200, 204}, Body: "ok"},
			TCP:  &engine.TCPCheck{Port: 8080, PortName: "http"},
			Exec: &engine.ExecCheck{Command: []string{"true", "x"}},

			Interval: "20s", Timeout: "2s", Window: 5, Threshold: 4, StartPeriod: "1s", OnDeploy: ptr(false), OnAnomaly: "alert",
		}},
		Security: &engine.Security{ReadOnlyRoot: true, CapabilitiesAdd: []string{"NET_RAW", "CHOWN"}, CapabilitiesDrop: []string{"ALL"}, NoNewPrivileges: ptr(false), Privileged: true},
		Logging:  &engine.Logging{MaxSize: "1Mi", MaxFiles: ptr(7), Driver: engine.LogDriverLocal, DriverOptions: map[string]string{"compress": "false"}},
		Labels:   map[string]string{"team": "blue"}, ExtraHosts: map[string]string{"legacy": "10.0.0.1"},
		Init: true, ShmSize: "128Mi", Ulimits: map[string]engine.Ulimit{"nofile": {Soft: 1024, Hard: 2048}},
		DNS:      &engine.DNS{Servers: []string{"10.0.0.2", "10.0.0.1"}, Search: []string{"acme.internal", "acme.dev"}, Options: []string{"ndots:2", "edns0"}},
		Networks: []string{"proxy", "backup"}, Sysctls: map[string]string{"net.core.somaxconn": "1024"},
		Devices: map[string]engine.Device{"/dev/fuse": {Source: "/dev/fuse", Permissions: "rw"}}, GPUs: "2",
	}
}

// mutant is a copy of a value that differs in one place.
type mutant struct {
	path  string
	value reflect.Value
}

// mutants makes, for every place in v, copies that differ in it.
func mutants(path string, v reflect.Value) []mutant {
	var all []mutant
	with := func(path string, value any) {
		all = append(all, mutant{path, reflect.ValueOf(value).Convert(v.Type())})
	}
	switch v.Kind() {
	case reflect.String:
		with(path, v.String()+"x")
		with(path+" unset", "")
	case reflect.Bool:
		with(path, !v.Bool())
	case reflect.Int, reflect.Int64:
		with(path, v.Int()+1)
	case reflect.Float64:
		with(path, v.Float()+1)
	case reflect.Pointer:
		for _, m := range mutants(path, v.Elem()) {
			p := reflect.New(v.Type().Elem())
			p.Elem().Set(m.value)
			all = append(all, mutant{m.path, p})
		}
		all = append(all, mutant{path + " unset", reflect.Zero(v.Type())})
	case reflect.Slice:
		for _, m := range mutants(path+".0", v.Index(0)) {
			s := reflect.AppendSlice(reflect.Zero(v.Type()), v)
			s.Index(0).Set(m.value)
			all = append(all, mutant{m.path, s})
		}
		all = append(all, mutant{path + " shorter", v.Slice(0, v.Len()-1)})
	case reflect.Map:
		for _, k := range v.MapKeys() {
			for _, m := range mutants(path+"."+k.String(), v.MapIndex(k)) {
				c := reflect.MakeMap(v.Type())
				c.SetMapIndex(k, m.value)
				all = append(all, mutant{m.path, c})
			}
		}
		all = append(all, mutant{path + " unset", reflect.Zero(v.Type())})
	case reflect.Struct:
		for i := range v.NumField() {
			for _, m := range mutants(path+"."+v.Type().Field(i).Name, v.Field(i)) {
				c := reflect.New(v.Type()).Elem()
				c.Set(v)
				c.Field(i).Set(m.value)
				all = append(all, mutant{m.path, c})
			}
		}
	default:
		panic(fmt.Sprintf("%s: teach mutants about %s", path, v.Kind()))
	}
	return all
}

// unset names the fields of v that nobody set.
func unset(path string, v reflect.Value) []string {
	switch v.Kind() {
	case reflect.Struct:
		var all []string
		for i := range v.NumField() {
			all = append(all, unset(path+"."+v.Type().Field(i).Name, v.Field(i))...)
		}
		return all
	case reflect.Map:
		for _, k := range v.MapKeys() {
			return unset(path, v.MapIndex(k))
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct {
			return unset(path, v.Elem())
		}
	}
	if v.IsZero() {
		return []string{path}
	}
	return nil
}

func TestFullComponentForgetsNoField(t *testing.T) {
	if forgotten := unset("", reflect.ValueOf(full())); len(forgotten) > 0 {
		t.Errorf("set these fields in full, so that the other tests cover them: %v", forgotten)
	}
}
