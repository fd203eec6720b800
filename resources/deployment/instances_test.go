package deployment_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// instances are the names of those on the local node; no name is ever used twice.
func (w *world) instances() []string {
	w.t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, "nodes", "*", "*", "d", "*", "i", "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	return names
}

// remember notes the instances that there are now.
func (w *world) remember(into *[]string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		*into = w.instances()
		return nil
	}
}

// kept expects the remembered instances of a component to be there still, never
// started again.
func (w *world) kept(before *[]string, component string) resource.TestCheckFunc {
	return func(state *terraform.State) error {
		now, found := w.instances(), 0
		for _, name := range *before {
			if !strings.HasPrefix(name, component+"-") {
				continue
			}
			if found++; !slices.Contains(now, name) {
				return fmt.Errorf("instance %s is gone, there are %v", name, now)
			}
		}
		if found == 0 {
			return fmt.Errorf("no instance of %s was remembered: %v", component, *before)
		}
		return resource.TestCheckResourceAttr(address, "instances."+component+".restarts", "0")(state)
	}
}

// replaced expects none of the remembered instances of a component to be there.
func (w *world) replaced(before *[]string, component string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		now := w.instances()
		for _, name := range *before {
			if strings.HasPrefix(name, component+"-") && slices.Contains(now, name) {
				return fmt.Errorf("instance %s was not replaced", name)
			}
		}
		return nil
	}
}

// keep notes an attribute of the deployment, same expects that text again.
func keep(attribute string, into *string) resource.TestCheckFunc {
	return resource.TestCheckResourceAttrWith(address, attribute, func(value string) error {
		*into = value
		return nil
	})
}

func same(attribute string, want *string) resource.TestCheckFunc {
	return resource.TestCheckResourceAttrPtr(address, attribute, want)
}

// revisions expects the statuses of all revisions, the newest first.
func (w *world) revisions(want ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		all, err := acctest.Engine(w.t, w.dir).Revisions(w.t.Context(), "acme/staging/shop")
		if err != nil {
			return err
		}
		var got []string
		for _, one := range all {
			got = append(got, string(one.Status))
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("revisions are %v, want %v", got, want)
		}
		return nil
	}
}
