package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Canonical is the one JSON form of the components: defaults filled in, one
// spelling for durations, sizes, modes and signals, lists whose order means
// nothing sorted. Components with the same content give the same bytes, with
// different content different ones. What does not parse stays as written.
//
// The digests of sealed versions hang on it: a field added to Component later
// must be left out of the JSON while it has its default.
func Canonical(cs map[string]engine.Component) []byte {
	normal := make(map[string]engine.Component, len(cs))
	for name, c := range cs {
		normal[name] = Normalize(c)
	}
	return mustJSON(normal)
}

// Digest is "sha256:" and the hexadecimal hash of the canonical components.
func Digest(cs map[string]engine.Component) string { return digest(Canonical(cs)) }

// Ref is what deployments refer to: the version's id, "@" and the digest.
func Ref(id, digest string) string { return id + "@" + digest }

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// mustJSON encodes maps and structs of plain fields; numbers are finite once
// they were validated, so only a broken rule of this package can fail here.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("catalog: canonical form of unvalidated input: %v", err))
	}
	return data
}

// Normalize answers the canonical form of one component (see Canonical).
func Normalize(c engine.Component) engine.Component {
	c = Defaults(c)
	c.Secrets = sortedSet(c.Secrets)
	c.DependsOn = sortedSet(c.DependsOn)
	c.StopSignal, _ = canonicalSignal(c.StopSignal)
	c.StopGracePeriod = canonicalDuration(c.StopGracePeriod)
	c.ShmSize = canonicalSize(c.ShmSize)
	c.Files = mapValues(c.Files, normalFile)
	c.Routes = mapValues(c.Routes, normalRoute)
	c.Volumes = mapValues(c.Volumes, func(v engine.Volume) engine.Volume {
		v.Size = canonicalSize(v.Size)
		v.Driver = unlessDefault(v.Driver, engine.DefaultVolumeDriver)
		v.DriverOptions = orNil(v.DriverOptions)
		if v.PreSnapshot != nil { // Defaults made this copy
			v.PreSnapshot.Timeout = canonicalDuration(v.PreSnapshot.Timeout)
		}
		return v
	})
	c.Tmpfs = mapValues(c.Tmpfs, func(t engine.Tmpfs) engine.Tmpfs {
		t.Size = canonicalSize(t.Size)
		return t
	})
	c.HealthChecks = mapValues(c.HealthChecks, normalCheck)
	c.Resources = normalResources(c.Resources)
	c.Security.CapabilitiesAdd = sortedSet(c.Security.CapabilitiesAdd)
	c.Security.CapabilitiesDrop = sortedSet(c.Security.CapabilitiesDrop)
	c.Logging.MaxSize = canonicalSize(c.Logging.MaxSize)
	c.Logging.Driver = unlessDefault(c.Logging.Driver, engine.DefaultLogDriver)
	c.Logging.DriverOptions = orNil(c.Logging.DriverOptions)
	c.Networks = sortedSet(c.Networks)
	c.Devices = mapValues(c.Devices, func(d engine.Device) engine.Device {
		d.Permissions = canonicalPermissions(d.Permissions)
		return d
	})
	c.DNS = normalDNS(c.DNS)
	return c
}

// normalFile writes text as text, however it was given.
func normalFile(f engine.File) engine.File {
	if m, err := engine.ParseMode("", f.Mode, 0); err == nil {
		f.Mode = fmt.Sprintf("%04o", m)
	}
	if data, err := base64.StdEncoding.DecodeString(f.ContentBase64); err == nil && f.Content == "" {
		if utf8.Valid(data) {
			f.Content, f.ContentBase64 = string(data), ""
		} else {
			f.ContentBase64 = base64.StdEncoding.EncodeToString(data)
		}
	}
	return f
}

func normalCheck(h engine.HealthCheck) engine.HealthCheck {
	h.Interval = canonicalDuration(h.Interval)
	h.Timeout = canonicalDuration(h.Timeout)
	h.StartPeriod = canonicalDuration(h.StartPeriod)
	if h.HTTP != nil { // Defaults made this copy
		h.HTTP.Status = sortedSet(h.HTTP.Status)
	}
	return h
}

func normalResources(r *engine.Resources) *engine.Resources {
	if r == nil || *r == (engine.Resources{}) {
		return nil
	}
	normal := *r
	normal.Memory = canonicalSize(r.Memory)
	return &normal
}

// normalDNS keeps the order of the servers and domains, which are tried in it.
func normalDNS(d *engine.DNS) *engine.DNS {
	if d == nil || len(d.Servers)+len(d.Search)+len(d.Options) == 0 {
		return nil
	}
	return &engine.DNS{Servers: d.Servers, Search: d.Search, Options: sortedSet(d.Options)}
}

// canonicalPermissions orders the letters as DefaultDevicePermissions does.
func canonicalPermissions(s string) string {
	ordered := strings.Map(func(r rune) rune {
		if strings.ContainsRune(s, r) {
			return r
		}
		return -1
	}, DefaultDevicePermissions)
	if len(ordered) != len(s) {
		return s
	}
	return ordered
}

// unlessDefault leaves a default out, for fields that came later.
func unlessDefault(value, fallback string) string {
	if value == fallback {
		return ""
	}
	return value
}

// orNil makes an empty map none, which is the same JSON.
func orNil[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

func canonicalDuration(s string) string {
	d, err := engine.ParseDuration("", s, 0)
	if s == "" || err != nil {
		return s
	}
	return d.String()
}

func canonicalSize(s string) string {
	n, err := engine.ParseSize("", s, 0)
	if s == "" || err != nil {
		return s
	}
	return strconv.FormatInt(n, 10)
}

// sortedSet is a sorted copy without repetitions, nil for an empty one.
func sortedSet[T cmp.Ordered](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
