package node

import (
	"regexp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var fileName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9.-]*$`)

// CheckFiles refuses names that Driver.Inform does not take.
func CheckFiles(files map[string]string) error {
	for name := range files {
		if len(name) > 200 || !fileName.MatchString(name) {
			return engine.Invalid("name", "%q is not a name of a guest's file", name)
		}
	}
	return nil
}
