package catalog

import "github.com/slipwayhq/terraform-provider-slipway/engine"

// Documented defaults of a component (schema.md, component).
const (
	DefaultReplicas        = 1
	DefaultStopGracePeriod = "10s"
	DefaultFileMode        = "0644"
	DefaultShmSize         = "64Mi"
	DefaultLogSize         = "10Mi"
	DefaultLogFiles        = 3

	DefaultDevicePermissions = "rwm"

	DefaultPathPrefix   = "/"
	DefaultStickyCookie = "slipway"

	DefaultPreSnapshotTimeout = "1m"
)

// Documented defaults of a health check (design 4.4).
const (
	DefaultCheckInterval  = "10s"
	DefaultCheckTimeout   = "5s"
	DefaultCheckWindow    = 3
	DefaultCheckThreshold = 3
	DefaultStartPeriod    = "0s"
	DefaultCheckPath      = "/"
	DefaultCheckHost      = "localhost"
	DefaultCheckScheme    = "http"
)

// Defaults answers the component with every documented default filled in and
// shares no memory with c that it changed. StopSignal stays "" when it was: the
// image decides, then SIGTERM. An empty list of wanted HTTP statuses stays
// empty, it means 200 to 399.
func Defaults(c engine.Component) engine.Component {
	setDefault(&c.Replicas, DefaultReplicas)
	orElse(&c.StopGracePeriod, DefaultStopGracePeriod)
	orElse(&c.Restart, RestartAlways)
	orElse(&c.ShmSize, DefaultShmSize)
	c.Ports = mapValues(c.Ports, func(p engine.Port) engine.Port {
		orElse(&p.Protocol, TCP)
		return p
	})
	c.Routes = mapValues(c.Routes, defaultRoute)
	c.Volumes = mapValues(c.Volumes, func(v engine.Volume) engine.Volume {
		orElse(&v.OnDestroy, VolumeRetain)
		setDefault(&v.SingleWriter, true)
		if v.PreSnapshot != nil {
			filled := *v.PreSnapshot
			orElse(&filled.Timeout, DefaultPreSnapshotTimeout)
			v.PreSnapshot = &filled
		}
		return v
	})
	c.Files = mapValues(c.Files, func(f engine.File) engine.File {
		orElse(&f.Mode, DefaultFileMode)
		return f
	})
	c.Devices = mapValues(c.Devices, func(d engine.Device) engine.Device {
		orElse(&d.Permissions, DefaultDevicePermissions)
		return d
	})
	c.HealthChecks = mapValues(c.HealthChecks, defaultCheck)
	c.Security = defaultSecurity(c.Security)
	c.Logging = defaultLogging(c.Logging)
	return c
}

func defaultCheck(h engine.HealthCheck) engine.HealthCheck {
	orElse(&h.Interval, DefaultCheckInterval)
	orElse(&h.Timeout, DefaultCheckTimeout)
	orElse(&h.Window, DefaultCheckWindow)
	orElse(&h.Threshold, DefaultCheckThreshold)
	orElse(&h.StartPeriod, DefaultStartPeriod)
	orElse(&h.OnAnomaly, AnomalyHeal)
	setDefault(&h.OnDeploy, true)
	if h.HTTP != nil {
		web := *h.HTTP
		orElse(&web.Path, DefaultCheckPath)
		orElse(&web.Host, DefaultCheckHost)
		orElse(&web.Scheme, DefaultCheckScheme)
		h.HTTP = &web
	}
	return h
}

func defaultSecurity(s *engine.Security) *engine.Security {
	var filled engine.Security
	if s != nil {
		filled = *s
	}
	setDefault(&filled.NoNewPrivileges, true)
	return &filled
}

func defaultLogging(l *engine.Logging) *engine.Logging {
	var filled engine.Logging
	if l != nil {
		filled = *l
	}
	if filled.Rotates() {
		orElse(&filled.MaxSize, DefaultLogSize)
		setDefault(&filled.MaxFiles, DefaultLogFiles)
	}
	return &filled
}

// orElse sets a field that is not set.
func orElse[T comparable](field *T, fallback T) {
	var unset T
	if *field == unset {
		*field = fallback
	}
}

// setDefault sets a pointer that is nil.
func setDefault[T any](field **T, fallback T) {
	if *field == nil {
		*field = &fallback
	}
}

// mapValues answers a new map with f applied to every value, nil for an empty one.
func mapValues[V any](m map[string]V, f func(V) V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	mapped := make(map[string]V, len(m))
	for k, v := range m {
		mapped[k] = f(v)
	}
	return mapped
}
