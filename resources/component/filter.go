package component

import (
	"errors"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// withoutFields drops the errors about those components.
func withoutFields(err error, components []string) error {
	if err == nil || len(components) == 0 {
		return err
	}
	var kept []error
	for _, one := range engine.All(err) {
		if !about(one.Field, components) {
			kept = append(kept, one)
		}
	}
	return errors.Join(kept...)
}

func about(field string, components []string) bool {
	for _, name := range components {
		at := "components." + name
		if field == at || strings.HasPrefix(field, at+".") {
			return true
		}
	}
	return false
}
