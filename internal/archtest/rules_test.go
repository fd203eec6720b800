package archtest

import (
	"strings"
	"testing"
)

// A house with one wrong arrow each: every rule must see the one it is for.
func TestEveryRuleCanFail(t *testing.T) {
	own := func(path string) string { return module + "/" + path }
	for _, c := range []struct {
		name string
		pkg  pkg
		want string // part of the only sentence, "" when nothing is wrong
	}{
		{"core uses its rooms", pkg{path: "engine/core", imports: []string{own("engine/store"), own("engine/node/local"), "os"}}, ""},
		{"a room uses its own parts", pkg{path: "engine/image", imports: []string{own("engine/image/cache")}}, ""},
		{"a room looks up", pkg{path: "engine/store", imports: []string{own("engine/core")}}, "arrows point down"},
		{"neighbours do not meet", pkg{path: "engine/store", imports: []string{own("engine/plan")}}, "arrows point down"},
		{"a driver looks at the rollout", pkg{path: "engine/node/local/network", imports: []string{own("engine/rollout")}}, "arrows point down"},
		{"the seam looks at a driver", pkg{path: "engine/node", imports: []string{own("engine/node/local")}}, "arrows point down"},
		{"product code uses a program", pkg{path: "engine/image", imports: []string{own("internal/quickstart")}}, "arrows point down"},
		{"main puts all together", pkg{path: "", imports: []string{own("engine/core"), own("provider")}}, ""},
		{"nobody imports main", pkg{path: "provider", imports: []string{module}}, "arrows point down"},
		{"a new room", pkg{path: "attic"}, "no place in the house"},

		{"a driver speaks Terraform", pkg{path: "engine/node/local", imports: []string{"github.com/hashicorp/terraform-plugin-log/tflog"}}, "knows nothing of Terraform"},
		{"an engine test speaks Terraform", pkg{path: "engine/core", testImports: []string{"github.com/hashicorp/terraform-exec/tfexec"}}, "knows nothing of Terraform"},
		{"a resource speaks Terraform", pkg{path: "resources/team", imports: []string{"github.com/hashicorp/terraform-plugin-framework/resource"}}, ""},

		{"a resource uses words and rules", pkg{path: "resources/team", imports: []string{own("engine"), own("engine/catalog")}}, ""},
		{"a resource opens the store", pkg{path: "resources/team", imports: []string{own("engine/store")}}, "words and Service only"},
		{"the provider drives a node", pkg{path: "provider", imports: []string{own("engine/node/local")}}, "words and Service only"},
		{"a data source plans", pkg{path: "datasources", imports: []string{own("engine/plan")}}, "words and Service only"},
		{"tests wire the engine", pkg{path: "provider/acctest", imports: []string{own("engine/core"), own("engine/node/local")}}, ""},

		{"a driver's suite uses images", pkg{path: "engine/node/nodetest", imports: []string{own("engine/node"), own("internal/testimage")}}, ""},
		{"a rollout uses the fake node", pkg{path: "engine/rollout", imports: []string{own("engine/node/fake")}}, "for tests only"},
		{"core's tests use the fake node", pkg{path: "engine/core", testImports: []string{own("engine/node/fake")}}, ""},

		{"the planner uses rules", pkg{path: "engine/plan", imports: []string{own("engine/catalog"), "slices"}}, ""},
		{"the planner reads a file", pkg{path: "engine/plan", imports: []string{"os"}}, "pure code"},
		{"the catalog asks a registry", pkg{path: "engine/catalog", imports: []string{"github.com/google/go-containerregistry/pkg/v1/remote"}}, "pure code"},
		{"the words know the seam", pkg{path: "engine/plan", imports: []string{own("engine/node")}}, "pure code"},
		{"a pure room's test reads a file", pkg{path: "engine/plan", testImports: []string{"os"}}, ""},
	} {
		got := check([]pkg{c.pkg})
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: %q, want nothing", c.name, got)
		case c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)):
			t.Errorf("%s: %q, want one sentence with %q", c.name, got, c.want)
		}
	}
}

func TestClockReadersAreSeen(t *testing.T) {
	for source, want := range map[string]bool{
		`package p; import "time"; func f() time.Time { return time.Now() }`:                       true,
		`package p; import clock "time"; var since = clock.Since`:                                  true,
		`package p; import "time"; func f(t time.Time) bool { return t.After(time.Time{}) }`:       false,
		`package p; type now struct{}; func (now) Now() {}; var time now; func f() { time.Now() }`: false,
	} {
		broken, err := readsNoClock("p.go", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if (len(broken) > 0) != want {
			t.Errorf("%s: %q, want some: %v", source, broken, want)
		}
	}
}

func TestRoomsAreFoundByTheLongestPath(t *testing.T) {
	for path, want := range map[string]string{
		"engine":                    "engine",
		"engine/node":               "engine/node",
		"engine/node/local/network": "engine/node/local",
		"engine/nodes":              "engine",
		"provider/acctest":          "provider/acctest",
		"providers":                 "nowhere",
		"":                          "",
	} {
		if got := roomOf(path).path; got != want {
			t.Errorf("%q is in %q, want %q", path, got, want)
		}
	}
}
