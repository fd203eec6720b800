package catalog

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// problems gathers everything that is wrong, so that a user sees all of it at once.
type problems []error

func (p *problems) add(err error) {
	if err != nil {
		*p = append(*p, err)
	}
}

func (p *problems) invalid(field, format string, args ...any) {
	p.add(engine.Invalid(field, format, args...))
}

// at adds err with prefix before its fields.
func (p *problems) at(prefix string, err error) { p.add(engine.At(prefix, err)) }

// oneOf refuses a value that is neither empty (the default) nor among allowed.
func (p *problems) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		p.invalid(field, "%q is not one of %s", value, strings.Join(allowed, ", "))
	}
}

// positive refuses what is not a duration above zero; "" stands for a default.
func (p *problems) positive(field, value string) {
	d, err := engine.ParseDuration(field, value, 1)
	p.add(err)
	if err == nil && d == 0 {
		p.invalid(field, "a duration above zero is needed")
	}
}

func (p problems) err() error { return errors.Join(p...) }

// sorted gives a map's entries in the order of their keys, so that errors come
// in the same order every time.
func sorted[K cmp.Ordered, V any](m map[K]V) func(yield func(K, V) bool) {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
