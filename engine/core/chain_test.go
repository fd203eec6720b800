package core_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Versions that one run creates side by side form the chain that their names
// say, whichever comes first; the next run adds to its end.
func TestVersionsCreatedSideBySide(t *testing.T) {
	s := newScene(t)
	s.furnish()
	names := []string{"1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "1.10.0"}
	var all sync.WaitGroup
	failed := make([]error, len(names))
	for i, name := range names {
		all.Go(func() { _, failed[i] = s.engine.CreateVersion(t.Context(), s.wanted(name, "1", nil)) })
	}
	all.Wait()
	for _, err := range failed {
		s.must(err)
	}
	s.chain(names...)
	for _, name := range names {
		s.must(s.engine.Confirm(t.Context(), engine.KindVersion, "acme/shop/"+name))
	}
	s.version("1.3.0", "1", nil)
	s.chain(append(names, "1.3.0")...)
}

// A version whose parent is named becomes its child, though one that named
// none was there first.
func TestNamedParentComesFirst(t *testing.T) {
	s := newScene(t)
	s.furnish()
	s.version("1.0.0", "1", nil)
	s.version("2.0.0", "1", nil)
	child := s.wanted("3.0.0", "1", nil)
	child.ParentID = "acme/shop/1.0.0"
	_, err := s.engine.CreateVersion(t.Context(), child)
	s.must(err)
	s.chain("1.0.0", "3.0.0", "2.0.0")
}

// A parent that is planned in the same run is one already at plan.
func TestParentOfTheSameRun(t *testing.T) {
	s := newScene(t)
	s.furnish()
	first, second := s.wanted("1.0.0", "1", nil), s.wanted("2.0.0", "1", nil)
	first.ID, second.ID, second.ParentID = "acme/shop/1.0.0", "acme/shop/2.0.0", "acme/shop/1.0.0"
	planned := engine.Planned{Versions: map[string]engine.Version{first.ID: first, second.ID: second}}
	answer, err := s.engine.PlanVersion(t.Context(), second, planned)
	s.must(err)
	if answer.Number != 0 || answer.ParentID != first.ID {
		t.Errorf("%+v", answer)
	}
	third := s.wanted("3.0.0", "1", nil)
	third.ParentID = first.ID
	_, err = s.engine.PlanVersion(t.Context(), third, planned)
	if !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), `already has its child, and versions form one chain: it is "2.0.0"`) {
		t.Errorf("a second child: %v", err)
	}
}

// chain expects the product's versions in this order.
func (s *scene) chain(names ...string) {
	s.Helper()
	parent := ""
	for i, name := range names {
		v, err := s.engine.Version(s.Context(), "acme/shop/"+name)
		s.must(err)
		if got, want := fmt.Sprint(v.Number, v.ParentID), fmt.Sprint(i+1, parent); got != want {
			s.Errorf("%s is %s, want %s", name, got, want)
		}
		parent = v.ID
	}
}

// A plan that goes back to an older version says what goes away with the newer.
func TestPlanTellsOfADowngrade(t *testing.T) {
	s := newScene(t)
	s.furnish()
	older := s.version("1.0.0", "1", nil)
	newer := s.version("2.0.0", "2", map[string]string{"LEVEL": "gold"})
	prior, err := s.create(newer.Ref)
	s.must(err)
	plan := func(v engine.Version) string {
		p, err := s.engine.PlanDeployment(t.Context(), shop(v.Ref), engine.PlanInput{Prior: &prior})
		s.must(err)
		return p.Downgrade
	}
	if told := plan(older); !strings.Contains(told, "from 2.0.0 to 1.0.0") || !strings.Contains(told, "api: env.LEVEL goes away") {
		t.Errorf("going back: %q", told)
	}
	if told := plan(newer); told != "" {
		t.Errorf("staying: %q", told)
	}
}
