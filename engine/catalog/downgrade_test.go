package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

func TestDowngrade(t *testing.T) {
	release := func(number int, components map[string]engine.Component) engine.Version {
		name := fmt.Sprintf("%d.0.0", number)
		return engine.Version{ProductID: "acme/shop", Name: name, Number: number, Type: engine.VersionIncremental, Components: components}
	}
	api := func(env map[string]string) map[string]engine.Component {
		return map[string]engine.Component{"api": {Image: "app:1", Env: env}}
	}
	crowded := map[string]string{}
	for i := range 13 {
		crowded[fmt.Sprintf("KEY_%02d", i)] = "1"
	}
	withCache := api(nil)
	withCache["cache"] = engine.Component{Image: "cache:1"}
	elsewhere := release(1, api(nil))
	elsewhere.ProductID = "acme/blog"
	rolling := release(0, api(nil))
	rolling.Type = engine.VersionRolling

	for name, c := range map[string]struct {
		serving, wanted engine.Version
		restored        []string
		want, never     []string
	}{
		"forward":       {serving: release(1, api(nil)), wanted: release(2, api(nil))},
		"the same":      {serving: release(2, api(nil)), wanted: release(2, api(nil))},
		"other product": {serving: release(2, api(nil)), wanted: elsewhere},
		"rolling":       {serving: release(2, api(nil)), wanted: rolling},
		"same content":  {serving: release(2, api(nil)), wanted: release(1, api(nil)), want: []string{"from 2.0.0 to 1.0.0", "Volumes keep the data that 2.0.0 wrote"}, never: []string{"What goes away"}},
		"with data": {serving: release(2, api(nil)), wanted: release(1, api(nil)), restored: []string{"db/data", "db/wal"},
			want: []string{"get back the data that 1.0.0 left", "of what 2.0.0 wrote: db/data, db/wal."}, never: []string{"Volumes keep"}},
		"changes back": {
			serving: release(2, api(map[string]string{"LEVEL": "gold", "EXTRA": "1"})), wanted: release(1, api(map[string]string{"LEVEL": "silver", "OLD": "1"})),
			want: []string{"api: env.EXTRA goes away", "api: env.LEVEL from gold to silver", "api: env.OLD comes back as 1"},
		},
		"component gone": {serving: release(2, withCache), wanted: release(1, api(nil)), want: []string{"the component cache goes away"}},
		"component back": {serving: release(2, api(nil)), wanted: release(1, withCache), want: []string{"the component cache comes back"}},
		"too many to tell": {
			serving: release(2, api(crowded)), wanted: release(1, api(nil)),
			want: []string{"env.KEY_09 goes away", "and 3 more"}, never: []string{"KEY_10"},
		},
	} {
		got := catalog.Downgrade(c.serving, c.wanted, c.restored)
		if (got != "") != (c.want != nil) {
			t.Errorf("%s: %q", name, got)
		}
		for _, text := range c.want {
			if !strings.Contains(got, text) {
				t.Errorf("%s: %q is not told in %q", name, text, got)
			}
		}
		for _, text := range c.never {
			if strings.Contains(got, text) {
				t.Errorf("%s: %q is told in %q", name, text, got)
			}
		}
	}
}
