package catalog

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// complaints lists "field: reason" of every error, and fails when one is of the
// wrong class.
func complaints(t *testing.T, err error, class error) []string {
	t.Helper()
	var all []string
	for _, e := range engine.All(err) {
		if !errors.Is(e, class) {
			t.Errorf("%v is not of class %v", e, class)
		}
		all = append(all, e.Error())
	}
	return all
}

// wantComplaint fails unless err is exactly one complaint that begins with
// field and holds reason, or none when field is "".
func wantComplaint(t *testing.T, err error, class error, field, reason string) {
	t.Helper()
	got := complaints(t, err, class)
	switch {
	case field == "" && len(got) > 0:
		t.Errorf("should be fine: %q", got)
	case field != "" && (len(got) != 1 || !strings.HasPrefix(got[0], field+": ") || !strings.Contains(got[0], reason)):
		t.Errorf("complaints %q, want one at %s: …%s…", got, field, reason)
	}
}

func shop() map[string]engine.Component {
	return map[string]engine.Component{
		"db": {
			Image:        "registry.acme.dev/postgres:17",
			Volumes:      map[string]engine.Volume{"data": {Path: "/data"}},
			HealthChecks: map[string]engine.HealthCheck{"ready": {Exec: &engine.ExecCheck{Command: []string{"pg_isready"}}}},
		},
		"api": {
			Image:        "registry.acme.dev/shop/api@sha256:" + strings.Repeat("a", 64),
			DependsOn:    []string{"db"},
			Replicas:     ptr(2),
			Env:          map[string]string{"DATABASE_HOST": "db"},
			Ports:        map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: ptr(8080)}},
			HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080, Path: "/healthz"}}},
		},
	}
}

func TestValidateComponents(t *testing.T) {
	type C = engine.Component
	port := func(p engine.Port) func(*C) {
		return func(c *C) { c.Ports = map[string]engine.Port{"http": p}; c.HealthChecks = nil }
	}
	check := func(h engine.HealthCheck) func(*C) {
		return func(c *C) { c.HealthChecks = map[string]engine.HealthCheck{"up": h} }
	}
	web := func(h engine.HTTPCheck) func(*C) { return check(engine.HealthCheck{HTTP: &h}) }
	timed := func(f func(h *engine.HealthCheck)) func(*C) {
		h := engine.HealthCheck{TCP: &engine.TCPCheck{Port: 1}}
		f(&h)
		return check(h)
	}
	for name, test := range map[string]struct {
		change        func(c *C) // of api
		field, reason string     // relative to components.api, "" when fine
	}{
		"as it is":              {func(*C) {}, "", ""},
		"no image":              {func(c *C) { c.Image = "" }, "image", "needed"},
		"bad image":             {func(c *C) { c.Image = "UPPER/case" }, "image", "not an image reference"},
		"port 0":                {port(engine.Port{}), "ports.http.container_port", "0 is not a port"},
		"port 65535":            {port(engine.Port{ContainerPort: 65535}), "", ""},
		"port 65536":            {port(engine.Port{ContainerPort: 65536}), "ports.http.container_port", "65536"},
		"host port 0":           {port(engine.Port{ContainerPort: 1, HostPort: ptr(0)}), "", ""},
		"host port -1":          {port(engine.Port{ContainerPort: 1, HostPort: ptr(-1)}), "ports.http.host_port", "-1"},
		"host port 65536":       {port(engine.Port{ContainerPort: 1, HostPort: ptr(65536)}), "ports.http.host_port", "65536"},
		"protocol":              {port(engine.Port{ContainerPort: 1, Protocol: "sctp"}), "ports.http.protocol", "tcp, udp"},
		"host address":          {port(engine.Port{ContainerPort: 1, HostPort: ptr(1), HostAddress: "here"}), "ports.http.host_address", "IP"},
		"unpublished proxy":     {port(engine.Port{ContainerPort: 1, ProxyProtocol: true}), "ports.http.proxy_protocol", "host_port"},
		"proxy of datagrams":    {port(engine.Port{ContainerPort: 1, HostPort: ptr(1), Protocol: "udp", ProxyProtocol: true}), "ports.http.proxy_protocol", "tcp"},
		"unpublished address":   {port(engine.Port{ContainerPort: 1, HostAddress: "::1"}), "ports.http.host_address", "host_port"},
		"port twice":            {func(c *C) { c.Ports["web"] = engine.Port{ContainerPort: 8080} }, "ports.web.container_port", `already named "http"`},
		"port twice, protocols": {func(c *C) { c.Ports["web"] = engine.Port{ContainerPort: 8080, Protocol: "udp"} }, "", ""},
		"host port twice":       {func(c *C) { c.Ports["web"] = engine.Port{ContainerPort: 1, HostPort: ptr(8080)} }, "ports.web.host_port", "components.api.ports.http.host_port"},
		"host port everywhere": {func(c *C) {
			c.Ports["web"] = engine.Port{ContainerPort: 1, HostPort: ptr(8080), HostAddress: "0.0.0.0"}
		}, "ports.web.host_port", "8080/tcp"},
		"host port elsewhere": {func(c *C) {
			c.Ports["web"] = engine.Port{ContainerPort: 1, HostPort: ptr(8080), HostAddress: "10.0.0.1"}
		}, "", ""},
		"port name":         {func(c *C) { c.Ports["Web"] = engine.Port{ContainerPort: 1} }, "ports.Web", "not a name"},
		"relative volume":   {func(c *C) { c.Volumes = map[string]engine.Volume{"v": {Path: "data", ReadOnly: true}} }, "volumes.v.path", "absolute"},
		"unclean path":      {func(c *C) { c.Tmpfs = map[string]engine.Tmpfs{"/a/../b": {}} }, "tmpfs./a/../b", `"/b"`},
		"root":              {func(c *C) { c.Tmpfs = map[string]engine.Tmpfs{"/": {}} }, "tmpfs./", "root"},
		"path twice":        {func(c *C) { c.Tmpfs = map[string]engine.Tmpfs{"/a": {}}; c.SecretFiles = map[string]string{"/a": "K"} }, "tmpfs./a", "secret_files./a"},
		"tmpfs size":        {func(c *C) { c.Tmpfs = map[string]engine.Tmpfs{"/a": {Size: "much"}} }, "tmpfs./a.size", "much"},
		"host path source":  {func(c *C) { c.HostPaths = map[string]engine.HostPath{"/a": {Source: "b"}} }, "host_paths./a.source", "absolute"},
		"host root":         {func(c *C) { c.HostPaths = map[string]engine.HostPath{"/a": {Source: "/"}} }, "", ""},
		"volume in /proc":   {func(c *C) { c.Volumes = map[string]engine.Volume{"v": {Path: "/proc/1/root/v", ReadOnly: true}} }, "volumes.v.path", "/proc"},
		"file in /proc":     {func(c *C) { c.Files = map[string]engine.File{"/proc/1/root/f": {}} }, "files./proc/1/root/f", "/proc"},
		"secret in /sys":    {func(c *C) { c.SecretFiles = map[string]string{"/sys/key": "K"} }, "secret_files./sys/key", "/sys"},
		"tmpfs at /dev":     {func(c *C) { c.Tmpfs = map[string]engine.Tmpfs{"/dev": {}} }, "tmpfs./dev", "/dev"},
		"tmpfs at /dev/shm": {func(c *C) { c.Tmpfs = map[string]engine.Tmpfs{"/dev/shm": {}} }, "tmpfs./dev/shm", "/dev"},
		"tmpfs at /devices": {func(c *C) { c.Tmpfs = map[string]engine.Tmpfs{"/devices": {}} }, "", ""},
		"host path in /dev": {func(c *C) { c.HostPaths = map[string]engine.HostPath{"/dev/kvm": {Source: "/dev/kvm"}} }, "host_paths./dev/kvm", "/dev"},
		"host's /dev":       {func(c *C) { c.HostPaths = map[string]engine.HostPath{"/host/dev": {Source: "/dev"}} }, "", ""},
		"working in /proc":  {func(c *C) { c.WorkingDir = "/proc/1/root" }, "working_dir", "/proc"},
		"volume on_destroy": {func(c *C) { c.Volumes = map[string]engine.Volume{"v": {Path: "/v", ReadOnly: true, OnDestroy: "keep"}} }, "volumes.v.on_destroy", "retain, delete"},
		"nothing to quiet": {func(c *C) {
			c.Volumes = map[string]engine.Volume{"v": {Path: "/v", ReadOnly: true, PreSnapshot: &engine.PreSnapshot{Command: []string{"sync"}}}}
		}, "volumes.v.pre_snapshot", "snapshot = \"on_upgrade\""},
		"no command to quiet": {func(c *C) {
			c.Volumes = map[string]engine.Volume{"v": {Path: "/v", ReadOnly: true, Snapshot: "on_upgrade", PreSnapshot: &engine.PreSnapshot{}}}
		}, "volumes.v.pre_snapshot.command", "a command is needed"},
		"no time to quiet": {func(c *C) {
			c.Volumes = map[string]engine.Volume{"v": {Path: "/v", ReadOnly: true, Snapshot: "on_upgrade", PreSnapshot: &engine.PreSnapshot{Command: []string{"sync"}, Timeout: "0s"}}}
		}, "volumes.v.pre_snapshot.timeout", "above zero"},
		"volume snapshot": {func(c *C) { c.Volumes = map[string]engine.Volume{"v": {Path: "/v", ReadOnly: true, Snapshot: "daily"}} }, "volumes.v.snapshot", "on_upgrade"},
		"volume size":     {func(c *C) { c.Volumes = map[string]engine.Volume{"v": {Path: "/v", ReadOnly: true, Size: "-1"}} }, "volumes.v.size", "-1"},
		"volume name":     {func(c *C) { c.Volumes = map[string]engine.Volume{"V": {Path: "/v", ReadOnly: true}} }, "volumes.V", "not a name"},
		"volume driver":   {func(c *C) { c.Volumes = map[string]engine.Volume{"v": {Path: "/v", ReadOnly: true, Driver: "a b"}} }, "volumes.v.driver", "a b"},
		"volume option": {func(c *C) {
			c.Volumes = map[string]engine.Volume{"v": {Path: "/v", ReadOnly: true, DriverOptions: map[string]string{"": "x"}}}
		}, "volumes.v.driver_options", "empty"},
		"device": {func(c *C) {
			c.Devices = map[string]engine.Device{"/dev/fuse": {Source: "/dev/fuse", Permissions: "mr"}}
		}, "", ""},
		"device in /sys":         {func(c *C) { c.Devices = map[string]engine.Device{"/sys/x": {Source: "/dev/x"}} }, "devices./sys/x", "/sys"},
		"device source":          {func(c *C) { c.Devices = map[string]engine.Device{"/dev/x": {Source: "x"}} }, "devices./dev/x.source", "absolute"},
		"device permissions":     {func(c *C) { c.Devices = map[string]engine.Device{"/dev/x": {Source: "/dev/x", Permissions: "rx"}} }, "devices./dev/x.permissions", "rx"},
		"device twice permitted": {func(c *C) { c.Devices = map[string]engine.Device{"/dev/x": {Source: "/dev/x", Permissions: "rr"}} }, "devices./dev/x.permissions", "rr"},
		"device and tmpfs": {func(c *C) {
			c.Devices, c.Tmpfs = map[string]engine.Device{"/a": {Source: "/dev/x"}}, map[string]engine.Tmpfs{"/a": {}}
		}, "devices./a", "tmpfs./a"},
		"dns": {func(c *C) {
			c.DNS = &engine.DNS{Servers: []string{"::1"}, Search: []string{"a.b"}, Options: []string{"ndots:2"}}
		}, "", ""},
		"dns server":          {func(c *C) { c.DNS = &engine.DNS{Servers: []string{"10.0.0.1", "ns"}} }, "dns.servers.1", "ns"},
		"dns no server":       {func(c *C) { c.DNS = &engine.DNS{Servers: []string{""}} }, "dns.servers.0", "empty"},
		"dns search":          {func(c *C) { c.DNS = &engine.DNS{Search: []string{"a b"}} }, "dns.search.0", "one word"},
		"network":             {func(c *C) { c.Networks = []string{"proxy", "a b"} }, "networks.1", "a b"},
		"network of the host": {func(c *C) { c.Networks = []string{"host"} }, "networks.0", "joined"},
		"network twice":       {func(c *C) { c.Networks = []string{"a", "a"} }, "networks.1", "twice"},
		"sysctl": {func(c *C) {
			c.Sysctls = map[string]string{"net.ipv4.conf.eth0/1.forwarding": "1", "kernel.sem": "250 32000 100 128"}
		}, "", ""},
		"sysctl of the machine": {func(c *C) { c.Sysctls = map[string]string{"vm.swappiness": "1"} }, "sysctls.vm.swappiness", "whole machine"},
		"sysctl name":           {func(c *C) { c.Sysctls = map[string]string{"net": "1"} }, "sysctls.net", "net.core.somaxconn"},
		"sysctl value":          {func(c *C) { c.Sysctls = map[string]string{"net.core.somaxconn": ""} }, "sysctls.net.core.somaxconn", "value"},
		"gpus":                  {func(c *C) { c.GPUs = "all" }, "", ""},
		"two gpus":              {func(c *C) { c.GPUs = "2" }, "", ""},
		"no gpus":               {func(c *C) { c.GPUs = "0" }, "gpus", `"all"`},
		"log driver": {func(c *C) {
			c.Logging = &engine.Logging{Driver: "journald", DriverOptions: map[string]string{"tag": "x"}}
		}, "", ""},
		"log driver's name":      {func(c *C) { c.Logging = &engine.Logging{Driver: "no driver"} }, "logging.driver", "no driver"},
		"rotation elsewhere":     {func(c *C) { c.Logging = &engine.Logging{Driver: "syslog", MaxSize: "1Mi"} }, "logging.max_size", "rotate"},
		"files elsewhere":        {func(c *C) { c.Logging = &engine.Logging{Driver: "syslog", MaxFiles: ptr(2)} }, "logging.max_files", "rotate"},
		"rotation said twice":    {func(c *C) { c.Logging = &engine.Logging{DriverOptions: map[string]string{"max-file": "2"}} }, "logging.driver_options.max-file", "max_files"},
		"writers":                {func(c *C) { c.Volumes = map[string]engine.Volume{"v": {Path: "/v"}} }, "replicas", `volume "v"`},
		"many writers":           {func(c *C) { c.Volumes = map[string]engine.Volume{"v": {Path: "/v", SingleWriter: ptr(false)}} }, "", ""},
		"no replicas":            {func(c *C) { c.Replicas = ptr(0) }, "", ""},
		"-1 replicas":            {func(c *C) { c.Replicas = ptr(-1) }, "replicas", "-1"},
		"1001 replicas":          {func(c *C) { c.Replicas = ptr(1001) }, "replicas", "1001"},
		"cpu":                    {func(c *C) { c.Resources = &engine.Resources{CPU: ptr(0.0)} }, "resources.cpu", "above zero"},
		"memory":                 {func(c *C) { c.Resources = &engine.Resources{Memory: "12 apples"} }, "resources.memory", "12 apples"},
		"pids":                   {func(c *C) { c.Resources = &engine.Resources{Pids: ptr(0)} }, "resources.pids", "above zero"},
		"unknown dependency":     {func(c *C) { c.DependsOn = []string{"cache"} }, "depends_on", `no component "cache"`},
		"self":                   {func(c *C) { c.DependsOn = []string{"api"} }, "depends_on", "itself"},
		"signal":                 {func(c *C) { c.StopSignal = "SIGSTOPPED" }, "stop_signal", "SIGTERM"},
		"signal 65":              {func(c *C) { c.StopSignal = "65" }, "stop_signal", "65"},
		"real-time signal":       {func(c *C) { c.StopSignal = "SIGRTMIN+3" }, "", ""},
		"grace":                  {func(c *C) { c.StopGracePeriod = "10" }, "stop_grace_period", "10"},
		"restart":                {func(c *C) { c.Restart = "sometimes" }, "restart", "always, on_failure, never"},
		"env name":               {func(c *C) { c.Env = map[string]string{"A=B": ""} }, "env", "A=B"},
		"env empty name":         {func(c *C) { c.Env = map[string]string{"": ""} }, "env", "empty"},
		"env value":              {func(c *C) { c.Env = map[string]string{"A": "\x00"} }, "env.A", "NUL"},
		"secret name":            {func(c *C) { c.Secrets = []string{"A", "="} }, "secrets.1", "="},
		"secret twice":           {func(c *C) { c.Secrets = []string{"A", "A"} }, "secrets.1", "twice"},
		"secret and env":         {func(c *C) { c.Secrets = []string{"DATABASE_HOST"} }, "secrets.0", "env"},
		"user":                   {func(c *C) { c.User = "www-data:0" }, "", ""},
		"bad user":               {func(c *C) { c.User = "a:b:c" }, "user", "a:b:c"},
		"working directory":      {func(c *C) { c.WorkingDir = "srv" }, "working_dir", "absolute"},
		"host name":              {func(c *C) { c.Hostname = "a.b" }, "hostname", "a.b"},
		"shm":                    {func(c *C) { c.ShmSize = "x" }, "shm_size", "x"},
		"empty command":          {func(c *C) { c.Command = []string{""} }, "command.0", "empty"},
		"argument":               {func(c *C) { c.Args = []string{"", "\x00"} }, "args.1", "NUL"},
		"two contents":           {func(c *C) { c.Files = map[string]engine.File{"/f": {Content: "a", ContentBase64: "YQ=="}} }, "files./f.content_base64", "not both"},
		"base64":                 {func(c *C) { c.Files = map[string]engine.File{"/f": {ContentBase64: "?"}} }, "files./f.content_base64", "base64"},
		"mode":                   {func(c *C) { c.Files = map[string]engine.File{"/f": {Mode: "rw"}} }, "files./f.mode", "rw"},
		"capability":             {func(c *C) { c.Security = &engine.Security{CapabilitiesAdd: []string{"ALL", "FLY"}} }, "security.capabilities_add.1", "FLY"},
		"CAP_":                   {func(c *C) { c.Security = &engine.Security{CapabilitiesDrop: []string{"CAP_CHOWN"}} }, "security.capabilities_drop.0", "without CAP_"},
		"extra host":             {func(c *C) { c.ExtraHosts = map[string]string{"a": "b"} }, "extra_hosts.a", "IP"},
		"log size":               {func(c *C) { c.Logging = &engine.Logging{MaxSize: "0"} }, "logging.max_size", "0"},
		"log files":              {func(c *C) { c.Logging = &engine.Logging{MaxFiles: ptr(0)} }, "logging.max_files", "0"},
		"ulimit":                 {func(c *C) { c.Ulimits = map[string]engine.Ulimit{"nofile": {Soft: 2, Hard: 1}} }, "ulimits.nofile.soft", "above"},
		"unlimited":              {func(c *C) { c.Ulimits = map[string]engine.Ulimit{"core": {Soft: -1, Hard: -1}} }, "", ""},
		"unlimited soft":         {func(c *C) { c.Ulimits = map[string]engine.Ulimit{"core": {Soft: -1, Hard: 5}} }, "ulimits.core.soft", "above"},
		"unknown ulimit":         {func(c *C) { c.Ulimits = map[string]engine.Ulimit{"beer": {}} }, "ulimits.beer", "nofile"},
		"label":                  {func(c *C) { c.Labels = map[string]string{"slipway.team": "x"} }, "labels.slipway.team", "engine's own"},
		"no kind of check":       {check(engine.HealthCheck{}), "health_checks.up", "there are 0"},
		"two kinds of check":     {check(engine.HealthCheck{TCP: &engine.TCPCheck{Port: 1}, Exec: &engine.ExecCheck{Command: []string{"true"}}}), "health_checks.up", "there are 2"},
		"check name":             {func(c *C) { c.HealthChecks["U P"] = c.HealthChecks["up"] }, "health_checks.U P", "not a name"},
		"http without port":      {web(engine.HTTPCheck{}), "health_checks.up.http.port", "port or port_name"},
		"http two ports":         {web(engine.HTTPCheck{Port: 1, PortName: "http"}), "health_checks.up.http.port", "not both"},
		"http port name":         {web(engine.HTTPCheck{PortName: "http"}), "", ""},
		"http unknown port name": {web(engine.HTTPCheck{PortName: "web"}), "health_checks.up.http.port_name", `"web"`},
		"udp port name": {func(c *C) {
			c.Ports["dns"] = engine.Port{ContainerPort: 53, Protocol: "udp"}
			check(engine.HealthCheck{TCP: &engine.TCPCheck{PortName: "dns"}})(c)
		}, "health_checks.up.tcp.port_name", "udp"},
		"tcp port":              {check(engine.HealthCheck{TCP: &engine.TCPCheck{Port: 70000}}), "health_checks.up.tcp.port", "70000"},
		"path":                  {web(engine.HTTPCheck{Port: 1, Path: "up"}), "health_checks.up.http.path", "slash"},
		"path with space":       {web(engine.HTTPCheck{Port: 1, Path: "/a b"}), "health_checks.up.http.path", "white space"},
		"host header":           {web(engine.HTTPCheck{Port: 1, Host: "a/b"}), "health_checks.up.http.host", "a/b"},
		"scheme":                {web(engine.HTTPCheck{Port: 1, Scheme: "ftp"}), "health_checks.up.http.scheme", "http, https"},
		"status":                {web(engine.HTTPCheck{Port: 1, Status: []int{100, 599, 600}}), "health_checks.up.http.status.2", "600"},
		"no command":            {check(engine.HealthCheck{Exec: &engine.ExecCheck{}}), "health_checks.up.exec.command", "needed"},
		"timeout 0":             {timed(func(h *engine.HealthCheck) { h.Timeout = "0s" }), "health_checks.up.timeout", "above zero"},
		"interval 0":            {timed(func(h *engine.HealthCheck) { h.Interval = "0s" }), "health_checks.up.interval", "above zero"},
		"timeout over interval": {timed(func(h *engine.HealthCheck) { h.Interval, h.Timeout = "1s", "2s" }), "", ""},
		"start period":          {timed(func(h *engine.HealthCheck) { h.StartPeriod = "soon" }), "health_checks.up.start_period", "soon"},
		"window 20":             {timed(func(h *engine.HealthCheck) { h.Window = 20 }), "", ""},
		"window 21":             {timed(func(h *engine.HealthCheck) { h.Window = 21 }), "health_checks.up.window", "21"},
		"threshold over window": {timed(func(h *engine.HealthCheck) { h.Window, h.Threshold = 2, 3 }), "health_checks.up.threshold", "3 failures"},
		"negative threshold":    {timed(func(h *engine.HealthCheck) { h.Threshold = -1 }), "health_checks.up.threshold", "-1"},
		"on_anomaly":            {timed(func(h *engine.HealthCheck) { h.OnAnomaly = "panic" }), "health_checks.up.on_anomaly", "heal, alert, none"},
	} {
		t.Run(name, func(t *testing.T) {
			cs := shop()
			api := cs["api"]
			test.change(&api)
			cs["api"] = api
			field := ""
			if test.field != "" {
				field = "components.api." + test.field
			}
			wantComplaint(t, ValidateComponents(cs), engine.ErrInvalid, field, test.reason)
		})
	}
}

func TestValidateComponentsAsAWhole(t *testing.T) {
	chain := func(edges map[string]string) map[string]engine.Component {
		cs := map[string]engine.Component{}
		for name, d := range edges {
			cs[name] = engine.Component{Image: "a"}
			if d != "" {
				cs[name] = engine.Component{Image: "a", DependsOn: strings.Fields(d)}
			}
		}
		return cs
	}
	fixed := engine.Component{Image: "a", Ports: map[string]engine.Port{"p": {ContainerPort: 1, HostPort: ptr(9000)}}}
	for name, test := range map[string]struct {
		components map[string]engine.Component
		want       []string
	}{
		"none":       {nil, []string{"components: at least one component is needed"}},
		"name":       {map[string]engine.Component{"A": {Image: "a"}}, []string{`components.A: "A" is not a name: use lower-case letters, digits and inner hyphens`}},
		"diamond":    {chain(map[string]string{"a": "b c", "b": "d", "c": "d", "d": ""}), nil},
		"pair":       {chain(map[string]string{"b": "a", "a": "b"}), []string{"components.a.depends_on: components depend on each other in a cycle: a -> b -> a"}},
		"three":      {chain(map[string]string{"x": "c", "c": "b", "b": "a", "a": "c"}), []string{"components.a.depends_on: components depend on each other in a cycle: a -> c -> b -> a"}},
		"two cycles": {chain(map[string]string{"a": "b", "b": "a", "c": "d", "d": "c"}), []string{"components.a.depends_on: components depend on each other in a cycle: a -> b -> a", "components.c.depends_on: components depend on each other in a cycle: c -> d -> c"}},
		"host ports": {map[string]engine.Component{"a": fixed, "b": fixed}, []string{"components.b.ports.p.host_port: host port 9000/tcp is already taken by components.a.ports.p.host_port"}},
		"everything at once": {
			map[string]engine.Component{"a": {Replicas: ptr(-1), Restart: "x"}, "b": {Image: "b", User: "!"}},
			[]string{"components.a.image: an image is needed", `components.a.restart: "x" is not one of always, on_failure, never`, "components.a.replicas: -1 is not a number of replicas: use 0 to 1000", `components.b.user: "!" is not a user: use a name or id, or either with :group`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := complaints(t, ValidateComponents(test.components), engine.ErrInvalid); !slices.Equal(got, test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestHealthChecks(t *testing.T) {
	image := &engine.HealthCheck{Exec: &engine.ExecCheck{Command: []string{"true"}}}
	ports := map[string]engine.Port{"admin": {ContainerPort: 9000}, "web": {ContainerPort: 80}, "dns": {ContainerPort: 53, Protocol: "udp"}}
	declared := engine.Component{Ports: ports, HealthChecks: map[string]engine.HealthCheck{"up": {TCP: &engine.TCPCheck{Port: 1}}}}
	for name, test := range map[string]struct {
		component engine.Component
		image     *engine.HealthCheck
		want      string // name of the only check, "" for none
	}{
		"declared":    {declared, image, "up"},
		"image":       {engine.Component{Ports: ports}, image, "image"},
		"lowest port": {engine.Component{Ports: ports}, nil, "web"},
		"udp only":    {engine.Component{Ports: map[string]engine.Port{"dns": ports["dns"]}}, nil, ""},
		"none":        {engine.Component{}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := HealthChecks("api", test.component, test.image)
			if names := strings.Join(slices.Sorted(maps.Keys(got)), " "); names != test.want {
				t.Fatalf("checks %q, want %q", names, test.want)
			}
			if h, found := got[test.want]; found && (h.Interval != DefaultCheckInterval || !*h.OnDeploy) {
				t.Errorf("defaults are missing: %+v", h)
			}
			if web, found := got["web"]; found && (web.TCP == nil || web.TCP.Port != 80) {
				t.Errorf("not a tcp check of port 80: %+v", web)
			}
		})
	}
}

func TestMoves(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for image, want := range map[string]bool{
		"nginx": true, "nginx:latest": true, "localhost:5000/team/nginx": true, "localhost:5000/nginx:latest": true,
		"nginx:1": false, "localhost:5000/nginx:latest-alpine": false, "nginx" + digest: false, "nginx:latest" + digest: false, "": false,
	} {
		if got := Moves(image); got != want {
			t.Errorf("%s: %t", image, got)
		}
	}
}
