package deployment_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// remember notes the instances that there are now.
func (w *world) remember(into *[]string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		*into = w.Instances(w.t)
		return nil
	}
}

// instanceOf is the first instance of a component.
func (w *world) instanceOf(component string) string {
	w.t.Helper()
	all := w.Instances(w.t)
	i := slices.IndexFunc(all, func(name string) bool { return strings.HasPrefix(name, component+"-") })
	if i < 0 {
		w.t.Fatalf("there is no instance of %s, only %v", component, all)
	}
	return all[i]
}

// kept expects the remembered instances of a component to be there still, never
// started again.
func (w *world) kept(before *[]string, component string) resource.TestCheckFunc {
	return func(state *terraform.State) error {
		now, found := w.Instances(w.t), 0
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
		now := w.Instances(w.t)
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
		all, err := acctest.Engine(w.t, w.DataDir).Revisions(w.t.Context(), w.Deployment())
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
