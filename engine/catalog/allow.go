package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Case is what Rules decide on.
type Case struct {
	Verb    Verb
	Product string // its type, "" = complex
	Type    string // of the version, "" = incremental
	Status  engine.RevisionStatus
	Facts   []Fact
	Name    string // of the version, for sentences
	Subject string // "" = the version of that name
}

// Decide answers the rule that decides the case, one without a reason when
// nothing is said against it.
func Decide(c Case) Rule {
	if c.Product == "" {
		c.Product = engine.ProductComplex
	}
	if c.Type == "" {
		c.Type = engine.VersionIncremental
	}
	for _, r := range Rules {
		if r.decides(c) {
			return r
		}
	}
	return Rule{Verb: c.Verb, Allowed: true}
}

func (r Rule) decides(c Case) bool {
	return (r.Verb == "" && c.Verb != Simplify || r.Verb == c.Verb) &&
		(r.Product == "" || r.Product == c.Product) &&
		(r.Type == "" || r.Type == c.Type) &&
		(r.Statuses == nil || slices.Contains(r.Statuses, c.Status)) &&
		(r.Given == "" || slices.Contains(c.Facts, r.Given))
}

// Allow is nil, or the engine.ErrConflict that says why not and what to do.
func Allow(c Case) error { return allow(c, "") }

// allow adds more to the reason.
func allow(c Case, more string) error {
	r := Decide(c)
	if r.Allowed {
		return nil
	}
	subject := c.Subject
	if subject == "" {
		subject = fmt.Sprintf("version %q", c.Name)
	}
	e := engine.Conflict(subject+" "+r.Reason+more, strings.ReplaceAll(r.Hint, "{next}", fmt.Sprintf("%q", NextName(c.Name))))
	e.Field = r.Field
	return e
}

// AllowChange is Allow for editing the stored version into the wanted one, when
// that would change what it runs: its type, its components, or an image that is
// pinned to another digest. Changelog and status are always free.
func AllowChange(c Case, stored, wanted engine.Version) error {
	c.Verb, c.Type, c.Name = Edit, stored.Type, stored.Name
	switch {
	case wanted.Type != "" && wanted.Type != stored.Type:
		return allow(c, ": its type cannot change")
	case contentOf(stored) != Digest(wanted.Components):
		return allow(c, ": its components cannot change")
	case len(wanted.Images) > 0 && !maps.Equal(pins(stored.Images), pins(wanted.Images)):
		return allow(c, ": its image digests cannot change")
	}
	return nil
}

// contentOf is the digest of a version's components, the stored one when these
// were pruned.
func contentOf(v engine.Version) string {
	if len(v.Components) == 0 && v.Digest != "" {
		return v.Digest
	}
	return Digest(v.Components)
}

func pins(images map[string]string) map[string]string {
	return mapValues(images, ImageDigest)
}

// decisive are the statuses that say most about a version, first the one that says all.
var decisive = []engine.RevisionStatus{
	engine.RevisionInProgress, engine.RevisionSuccessful, engine.RevisionObsolete, engine.RevisionDowngraded,
	engine.RevisionFailed, engine.RevisionPreparing,
}

// Standing is the status of a version as a whole, given those of all its
// revisions. A sealed one whose deployments are gone counts as obsolete: it
// served, and does so no more.
func Standing(sealed bool, revisions []engine.RevisionStatus) engine.RevisionStatus {
	if sealed {
		revisions = append(slices.Clone(revisions), engine.RevisionObsolete)
	}
	for _, status := range decisive {
		if slices.Contains(revisions, status) {
			return status
		}
	}
	return RevisionNone
}
