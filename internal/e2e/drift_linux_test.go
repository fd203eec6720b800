package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestDrift changes what runs behind terraform's back: the plan names it, and
// apply repairs just that.
func TestDrift(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*world) error
		drift  []string // beginnings of the lines
		keeps  []string // components whose process stays
	}{
		{"supervisor killed", (*world).killSupervisor, []string{"api: instance api-1-1 is gone", "db: instance db-1-1 is gone"}, nil},
		{"directory of an instance removed", (*world).removeInstance, []string{"api: "}, []string{"db"}},
		{"recorded image edited", (*world).editImage, []string{"api: instance api-1-1 "}, []string{"db"}},
		{"all directories removed", (*world).loseInstances, []string{"api: instance is gone", "db: instance is gone"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shop)
			w.apply()
			before := map[string]int{"api": w.pidOf("api"), "db": w.pidOf("db")}
			if err := c.change(w); err != nil {
				t.Fatal(err)
			}
			drift, changes := w.plannedRepair()
			if !slices.EqualFunc(drift, c.drift, strings.HasPrefix) {
				t.Errorf("drift %q, want %q", drift, c.drift)
			}
			for _, component := range c.keeps {
				if !slices.Contains(changes, component+": keep") {
					t.Errorf("changes %q do not keep %s", changes, component)
				}
			}
			w.apply()
			w.expectSettled(both)
			for _, component := range c.keeps {
				if now := w.pidOf(component); now != before[component] {
					t.Errorf("%s was touched: process %d before, %d now", component, before[component], now)
				}
			}
			answers(t, w.text("url"), "1.0.0")
			w.nothingToDo()
			w.destroy()
			w.expectNothingLeft()
		})
	}
}

func (w *world) killSupervisor() error {
	kill(w.census().supervisors)
	until(w.t, patience, func() error {
		if c := w.census(); len(c.all) > 0 {
			return fmt.Errorf("processes that are left: %v", c.all)
		}
		return nil
	})
	return nil
}

func (w *world) instanceDir(pattern string) (string, error) {
	found, err := filepath.Glob(filepath.Join(w.data, "nodes/*/*/d/*/i", pattern))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d directories match %s", len(found), pattern)
	}
	return strings.Join(found, ""), err
}

func (w *world) removeInstance() error {
	dir, err := w.instanceDir("api-*")
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func (w *world) editImage() error {
	dir, err := w.instanceDir("api-*")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "spec.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	edited := bytes.ReplaceAll(raw, []byte("/app:1.0.0@"), []byte("/app:9.9.9@"))
	if bytes.Equal(raw, edited) {
		return fmt.Errorf("%s names no image", path)
	}
	return os.WriteFile(path, edited, 0o600)
}

// loseInstances removes all directories of instances, with nothing running.
func (w *world) loseInstances() error {
	if err := w.killSupervisor(); err != nil {
		return err
	}
	dir, err := w.instanceDir("api-*")
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Dir(dir))
}

// plannedRepair answers what a plan says of the deployment: what has drifted,
// and what apply would do.
func (w *world) plannedRepair() (drift, changes []string) {
	w.t.Helper()
	p := w.planned()
	if len(p.Changes) != 1 || p.Changes[0].Address != "slipway_deployment.shop" {
		w.t.Fatalf("the plan changes %v, want the deployment only", slices.Collect(maps.Keys(w.changes())))
	}
	var before, after struct{ Drift, Changes []string }
	for text, value := range map[*json.RawMessage]any{&p.Changes[0].Change.Before: &before, &p.Changes[0].Change.After: &after} {
		if err := json.Unmarshal(*text, value); err != nil {
			w.t.Fatal(err)
		}
	}
	return before.Drift, after.Changes
}

// planned is what terraform shows of a plan, without what it does not touch.
type planned struct {
	Changes []struct {
		Address string
		Change  struct {
			Actions       []string
			Before, After json.RawMessage
		}
	} `json:"resource_changes"`
}

func (w *world) planned() (p planned) {
	w.t.Helper()
	file := filepath.Join(w.dir, "look.plan")
	w.plan("-out=" + file)
	if err := json.Unmarshal([]byte(w.must("show", "-json", file)), &p); err != nil {
		w.t.Fatal(err)
	}
	all := p.Changes
	p.Changes = nil
	for _, c := range all {
		if !slices.Equal(c.Change.Actions, []string{"no-op"}) {
			p.Changes = append(p.Changes, c)
		}
	}
	return p
}

// changes names, by resource, the attributes that a plan would change.
func (w *world) changes() map[string][]string {
	w.t.Helper()
	all := map[string][]string{}
	for _, c := range w.planned().Changes {
		var before, after map[string]any
		if err := json.Unmarshal(c.Change.Before, &before); err != nil {
			w.t.Fatal(err)
		}
		if err := json.Unmarshal(c.Change.After, &after); err != nil {
			w.t.Fatal(err)
		}
		all[c.Address] = []string{}
		for name := range before {
			if !reflect.DeepEqual(before[name], after[name]) {
				all[c.Address] = append(all[c.Address], name)
			}
		}
	}
	return all
}
