package catalog

import (
	"fmt"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Promotion is a version that wants to enter an environment which takes only
// what another one has proved.
type Promotion struct {
	Version     string // its name
	Environment string // id
	Source      string // id of the environment that it promotes from, "" = none
	MinSoak     time.Duration

	RanHere bool          // the same content ran in the environment before: going back needs no proof
	Ever    bool          // the same content, with the same image digests, succeeded in the source
	For     time.Duration // how long it has served there, in sum
	Planned bool          // this run brings the source to it
}

// AllowPromotion refuses a version that its source environment has not proved.
func AllowPromotion(p Promotion) error {
	if p.Source == "" || p.RanHere || p.Planned && p.MinSoak == 0 || p.Ever && p.For >= p.MinSoak {
		return nil
	}
	var e *engine.Error
	switch missing := p.MinSoak - p.For; {
	case p.Ever:
		e = engine.Conflict(
			fmt.Sprintf("version %q has served %s for %s of %s, the min_soak of %s", p.Version, p.Source, brief(p.For), brief(p.MinSoak), p.Environment),
			fmt.Sprintf("Apply again when it has served there for another %s", brief(missing)))
	case p.Planned:
		e = engine.Conflict(
			fmt.Sprintf("version %q only comes to %s in this run, and has served there for 0s of %s, the min_soak of %s", p.Version, p.Source, brief(p.MinSoak), p.Environment),
			fmt.Sprintf("Deploy it to %s first, and here in a run that is %s or more later", p.Source, brief(missing)))
	default:
		e = engine.Conflict(
			fmt.Sprintf("version %q has not succeeded in %s, which %s promotes from", p.Version, p.Source, p.Environment),
			"Deploy it there first; within one run, let this deployment refer to the other one: version = slipway_deployment.<the other>.version")
	}
	e.Field = "version"
	return e
}

// brief is a duration without a fraction of a second where it has more.
func brief(d time.Duration) string {
	if d >= time.Second {
		d = d.Truncate(time.Second)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// AllowSource refuses an environment whose way back through the sources of the
// others, by id, leads to itself.
func AllowSource(e engine.Environment, sources map[string]string) error {
	id := engine.JoinID(e.TeamID, e.Name)
	way := []string{id}
	for at := e.PromotesFromID; at != "" && len(way) <= len(sources)+1; at = sources[at] {
		way = append(way, at)
		if at == id {
			return &engine.Error{
				Class: engine.ErrConflict, Field: "promotes_from_id",
				Reason: "environments would promote in a circle: " + strings.Join(way, " from "),
				Hint:   "Leave promotes_from_id out where versions come in first",
			}
		}
	}
	return nil
}
