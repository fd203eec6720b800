package core_test

import (
	"slices"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
)

// having makes a version whose db has these volumes, by name: what becomes of each.
func (s *scene) having(name string, env map[string]string, volumes map[string]string) engine.Version {
	s.Helper()
	wanted := s.wanted(name, "1", env)
	db := wanted.Components["db"]
	db.Volumes = map[string]engine.Volume{}
	for volume, becomes := range volumes {
		db.Volumes[volume] = engine.Volume{Path: "/" + volume, OnDestroy: becomes}
	}
	wanted.Components["db"] = db
	v, err := s.engine.CreateVersion(s.Context(), wanted)
	s.must(err)
	return v
}

// What the last version that had a volume says, decides; of one that no version
// had that succeeded, what the first said that brought it.
func TestVolumesEndAsTheirLastVersionSays(t *testing.T) {
	s := newScene(t)
	s.furnish()
	all := func(becomes string) map[string]string {
		return map[string]string{"kept": "", "dropped": becomes, "saved": "delete", "spared": "retain"}
	}
	_, err := s.create(s.having("1.0.0", nil, all("delete")).Ref)
	s.must(err)
	failing := map[string]string{fake.BehaviourVariable: fake.Exits}
	_, err = s.update(s.having("2.0.0", failing, map[string]string{"kept": "delete", "spared": "delete", "failed": "delete", "rescued": ""}).Ref)
	if err == nil {
		t.Fatal("the version that fails succeeded")
	}
	_, err = s.update(s.having("3.0.0", nil, map[string]string{"kept": "", "saved": "retain"}).Ref)
	s.must(err)
	_, err = s.update(s.having("4.0.0", nil, map[string]string{"kept": ""}).Ref)
	s.must(err)
	s.open()
	there := func() []string {
		volumes, err := s.node.Driver("").Volumes(t.Context(), id)
		s.must(err)
		return volumes
	}
	if want := []string{"db/dropped", "db/failed", "db/kept", "db/rescued", "db/saved", "db/spared"}; !slices.Equal(there(), want) {
		t.Fatalf("there are %v, want %v", there(), want)
	}
	s.must(s.engine.DeleteDeployment(t.Context(), id))
	if want := []string{"db/kept", "db/rescued", "db/saved", "db/spared"}; !slices.Equal(there(), want) {
		t.Errorf("there stay %v, want %v", there(), want)
	}
}
