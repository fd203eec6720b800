// Package cache keeps the unpacked images of local nodes in one directory.
//
// The directory is shared by any number of processes, and by images: a layer is
// unpacked once, as a directory that serves as a lower directory of an overlay
// mount with the option userxattr. What a killed process leaves half done is
// never taken for whole, and is cleared away by the next one that comes by.
//
//	layers/<short>    an unpacked layer; the name is short because the options of
//	                  an overlay mount must fit one page
//	marks/<short>     says that the layer is whole, and its full chain id
//	images/<digest>   what an image runs and the layers it is made of
//	pulls/<random>    layers that a pull in progress needs, locked while it lives
//	locks/<name>      flock files
//	tmp/              work in progress, and what is being removed
package cache

import (
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

// Image is an image on this machine, ready to be mounted.
type Image struct {
	Reference string // registry/name:tag@sha256:… as it was first pulled
	Digest    string // sha256:… that it is known by
	Platform  string // linux/amd64
	Config    Config
	Layers    []string // absolute directories, lowest first
}

// Config is what an image says about how it runs.
type Config struct {
	Entrypoint   []string            `json:"entrypoint,omitempty"`
	Cmd          []string            `json:"cmd,omitempty"`
	Env          []string            `json:"env,omitempty"`           // NAME=value
	User         string              `json:"user,omitempty"`          // uid, name, or either with :group
	WorkingDir   string              `json:"working_dir,omitempty"`   // "" = /
	ExposedPorts []string            `json:"exposed_ports,omitempty"` // 80/tcp, sorted
	HealthCheck  *engine.HealthCheck `json:"health_check,omitempty"`  // nil = none, or switched off
	StopSignal   string              `json:"stop_signal,omitempty"`   // "" = SIGTERM
	Labels       map[string]string   `json:"labels,omitempty"`
	Volumes      []string            `json:"volumes,omitempty"` // absolute paths, sorted
}

// Option changes how a Cache works.
type Option func(*settings)

type settings struct{ client *image.Client }

// WithClient makes the cache pull through a client that others use too; by
// default it has one of its own.
func WithClient(c *image.Client) Option { return func(s *settings) { s.client = c } }

func configOf(c v1.Config) Config {
	return Config{
		Entrypoint:   c.Entrypoint,
		Cmd:          c.Cmd,
		Env:          c.Env,
		User:         c.User,
		WorkingDir:   c.WorkingDir,
		ExposedPorts: sortedKeys(c.ExposedPorts),
		HealthCheck:  healthCheckOf(c.Healthcheck),
		StopSignal:   c.StopSignal,
		Labels:       c.Labels,
		Volumes:      sortedKeys(c.Volumes),
	}
}

// What Docker takes for a health check of an image that leaves it open.
const (
	dockerInterval = 30 * time.Second
	dockerTimeout  = 30 * time.Second
	dockerRetries  = 3
)

// healthCheckOf reads the image's own check; its retries are consecutive
// failures, so window and threshold are the same.
func healthCheckOf(h *v1.HealthConfig) *engine.HealthCheck {
	if h == nil || len(h.Test) < 2 {
		return nil
	}
	command := h.Test[1:]
	switch h.Test[0] {
	case "CMD":
	case "CMD-SHELL":
		command = []string{"/bin/sh", "-c", h.Test[1]}
	default:
		return nil
	}
	check := &engine.HealthCheck{
		Exec:      &engine.ExecCheck{Command: command},
		Interval:  orElse(h.Interval, dockerInterval).String(),
		Timeout:   orElse(h.Timeout, dockerTimeout).String(),
		Window:    orElse(h.Retries, dockerRetries),
		Threshold: orElse(h.Retries, dockerRetries),
	}
	if h.StartPeriod > 0 {
		check.StartPeriod = h.StartPeriod.String()
	}
	return check
}

func orElse[T int | time.Duration](value, fallback T) T {
	if value > 0 {
		return value
	}
	return fallback
}

func sortedKeys(m map[string]struct{}) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
