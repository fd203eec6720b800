package engine

import (
	"cmp"
	"reflect"
	"slices"
)

// Strategy says how a deployment moves from one revision to the next.
type Strategy struct {
	Type             string // rolling, blue_green, canary, recreate
	MaxParallel      int    // instances of one component replaced at once
	MinHealthyTime   string
	ProgressDeadline string
	DrainTimeout     string
	AutoRollback     bool

	KeepOldFor string  // blue_green only: how long the old instances run on, for an instant return; "" = 0s
	Canary     *Canary // canary only; nil = its defaults
}

// The types of strategies.
const (
	StrategyRolling   = "rolling"    // instance by instance, new ones first where the node can
	StrategyBlueGreen = "blue_green" // all new ones beside the old, then one switch
	StrategyCanary    = "canary"     // all new ones beside the old, then step by step more of the requests
	StrategyRecreate  = "recreate"   // the old ones stop before the new start
)

// Canary says how the requests of routes move to new instances.
type Canary struct {
	Steps        []CanaryStep `json:"steps,omitempty"`          // none = DefaultCanarySteps
	MaxErrorRate *float64     `json:"max_error_rate,omitempty"` // share of the new instances' answers that may be 5xx, 0 to 1; nil = 0.01
	MaxLatency   string       `json:"max_latency,omitempty"`    // that 95 % of the new instances' answers may take, "" = any
	MinRequests  int          `json:"min_requests,omitempty"`   // fewer say nothing about a step; 0 = 10
}

// CanaryStep gives new instances a share of the requests, for a while.
type CanaryStep struct {
	Weight int    `json:"weight"`          // percent, 1 to 99
	Pause  string `json:"pause,omitempty"` // "" = 30s
}

// DefaultStrategy is what an empty strategy means (design 4.3.3, schema.md).
var DefaultStrategy = Strategy{
	Type: StrategyRolling, MaxParallel: 1, MinHealthyTime: "5s",
	ProgressDeadline: "5m", DrainTimeout: "30s", AutoRollback: true,
}

// DefaultCanarySteps are the steps of a canary that names none.
var DefaultCanarySteps = []CanaryStep{{Weight: 10, Pause: DefaultCanaryPause}, {Weight: 50, Pause: DefaultCanaryPause}}

// What a canary that says nothing else is judged by.
const (
	DefaultCanaryPause        = "30s"
	DefaultCanaryMaxErrorRate = 0.01
	DefaultCanaryMinRequests  = 10
)

// IsZero reports whether nothing is said.
func (s Strategy) IsZero() bool { return reflect.ValueOf(s).IsZero() }

// Whole is the canary with its defaults filled in.
func (c Canary) Whole() Canary {
	if len(c.Steps) == 0 {
		c.Steps = DefaultCanarySteps
	}
	c.Steps = slices.Clone(c.Steps)
	for i := range c.Steps {
		c.Steps[i].Pause = cmp.Or(c.Steps[i].Pause, DefaultCanaryPause)
	}
	if c.MaxErrorRate == nil {
		rate := DefaultCanaryMaxErrorRate
		c.MaxErrorRate = &rate
	}
	c.MinRequests = cmp.Or(c.MinRequests, DefaultCanaryMinRequests)
	return c
}
