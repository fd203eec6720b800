package deployment_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// look fails when the census of what destroy leaves does not even see a
// deployment that runs; it is for a step's Check.
func (w *world) look(*terraform.State) error {
	left := strings.Join(w.Left(w.t), ", ")
	for _, kind := range w.Sights {
		if !strings.Contains(left, kind+" ") {
			return fmt.Errorf("the census sees no %s of a deployment that runs, only: %s", kind, left)
		}
	}
	return nil
}

// expectLeft expects nothing to be left but these volumes, component.volume.
func (w *world) expectLeft(volumes ...string) {
	w.t.Helper()
	if left := w.Left(w.t); len(left) > 0 {
		w.t.Errorf("left on the node: %s", strings.Join(left, ", "))
	}
	if kept := w.Volumes(w.t); !slices.Equal(kept, volumes) {
		w.t.Errorf("volumes kept: %v, want %v", kept, volumes)
	}
}
