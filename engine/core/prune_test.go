package core_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// keeps sets how many versions of a deployment keep their images on the node.
func (s *scene) keeps(n int) {
	s.Helper()
	here, err := s.engine.Node(s.Context(), "acme/here")
	s.must(err)
	here.KeepVersions = n
	_, err = s.engine.UpdateNode(s.Context(), here)
	s.must(err)
}

func (s *scene) has(image string) bool { return slices.Contains(s.node.Images(), image) }

func TestImagesOfOldVersionsAreForgotten(t *testing.T) {
	for _, keep := range []int{0, 1} {
		s := newScene(t)
		s.furnish()
		s.keeps(keep)
		one := s.version("1.0.0", "1", nil)
		_, err := s.create(one.Ref)
		s.must(err)
		two := s.version("2.0.0", "2", nil)
		_, err = s.update(two.Ref)
		s.must(err)
		if s.has(one.Images["api"]) || !s.has(two.Images["api"]) {
			t.Errorf("keep %d: on the node are %v", keep, s.node.Images())
		}
		_, err = s.update(one.Ref) // it is pulled again
		s.must(err)
	}
}

// A repair makes a revision of the version that serves, and pushes out none of
// those that a rollback could want.
func TestRepairsPushNoImageOut(t *testing.T) {
	s := newScene(t)
	s.furnish()
	s.keeps(2)
	one := s.version("1.0.0", "1", nil)
	_, err := s.create(one.Ref)
	s.must(err)
	two := s.version("2.0.0", "2", nil)
	for range 4 {
		_, err = s.update(two.Ref)
		s.must(err)
		s.node.Lose(s.node.Running(id)[0].Key)
		s.open()
	}
	if !s.has(one.Images["api"]) {
		t.Errorf("on the node are %v", s.node.Images())
	}
}

// There are two nodes of one Docker Engine: what one of them no more needs stays
// for the other, whichever was used last.
func TestNodesOfOnePlaceKeepEachOthersImages(t *testing.T) {
	s := newScene(t)
	s.furnish()
	s.node.Place = "engine 1"
	s.keeps(2)
	ctx := t.Context()
	_, err := s.engine.CreateNode(ctx, engine.Node{TeamID: "acme", Name: "there", Kind: engine.NodeLocal, Allocation: engine.AllocationOpen, Local: &engine.LocalNode{}})
	s.must(err)
	_, err = s.engine.CreateEnvironment(ctx, engine.Environment{TeamID: "acme", Name: "staging", NodeID: "acme/there", Type: engine.EnvironmentStaging}, map[string]string{"TOKEN": "x"})
	s.must(err)
	one, two := s.version("1.0.0", "1", nil), s.version("2.0.0", "2", nil)
	_, err = s.create(one.Ref)
	s.must(err)
	_, err = s.update(two.Ref)
	s.must(err)

	_, err = s.engine.CreateDeployment(ctx, engine.Deployment{EnvironmentID: "acme/staging", Version: two.Ref, Prefix: "beside", Strategy: quick}, nil)
	s.must(err)
	if !s.has(one.Images["api"]) {
		t.Errorf("the other node was used, and now there are only %v", s.node.Images())
	}
	s.keeps(1)
	s.must(s.engine.DeleteDeployment(ctx, "acme/staging/beside"))
	if s.has(one.Images["api"]) || !s.has(two.Images["api"]) {
		t.Errorf("nobody needs 1.0.0, and there are %v", s.node.Images())
	}
}

// The node goes away right after a success, so nothing is pruned: whatever is done
// on it next makes up for that.
func TestPruningIsMadeUpFor(t *testing.T) {
	for name, next := range map[string]func(*scene) error{
		"another deployment": func(s *scene) error {
			beside := shop("acme/shop/2.0.0")
			beside.Prefix = "beside"
			_, err := s.engine.CreateDeployment(s.Context(), beside, nil)
			return err
		},
		"a repair": func(s *scene) error {
			s.node.Lose(s.node.Running(id)[0].Key)
			_, err := s.update("acme/shop/2.0.0")
			return err
		},
		"a destroy": func(s *scene) error { return s.engine.DeleteDeployment(s.Context(), id) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.furnish()
			s.keeps(1)
			one := s.version("1.0.0", "1", nil)
			_, err := s.create(one.Ref)
			s.must(err)
			s.node.SetFault(away("prune"))
			_, err = s.update(s.version("2.0.0", "2", nil).Ref)
			s.must(err)
			if !s.has(one.Images["api"]) {
				t.Fatal("it was pruned by a node that is away")
			}
			s.node.SetFault(nil)
			s.open()
			s.must(next(s))
			if s.has(one.Images["api"]) {
				t.Errorf("on the node are %v", s.node.Images())
			}
		})
	}
}

// Nothing can be done on a node that is gone from the records.
func TestNodeLeavesNoImage(t *testing.T) {
	s := newScene(t)
	s.furnish()
	ctx := t.Context()
	_, err := s.create(s.version("1.0.0", "1", nil).Ref)
	s.must(err)
	s.node.SetFault(away("prune"))
	s.must(s.engine.DeleteDeployment(ctx, id))
	s.must(s.engine.DeleteEnvironment(ctx, "acme/production"))
	if len(s.node.Images()) == 0 {
		t.Fatal("it was pruned by a node that is away")
	}
	s.node.SetFault(nil)
	s.must(s.engine.DeleteNode(ctx, "acme/here"))
	if left := s.node.Images(); len(left) > 0 {
		t.Errorf("on the node are %v", left)
	}
}

// A node that is away is not waited for, nor kept.
func TestNodeThatIsAwayCanBeDeleted(t *testing.T) {
	s := newScene(t)
	s.furnish()
	s.node.SetFault(away("prune"))
	s.must(s.engine.DeleteEnvironment(t.Context(), "acme/production"))
	s.must(s.engine.DeleteNode(t.Context(), "acme/here"))
	_, err := s.engine.Node(t.Context(), "acme/here")
	wantClass(t, err, engine.ErrNotFound)
}

// away is a node that does not answer to a method.
func away(silent string) func(method, name string) error {
	return func(method, _ string) error {
		if method == silent {
			return node.ErrUnreachable
		}
		return nil
	}
}

// waiting is a clock that tells when somebody begins to wait for a lease.
type waiting struct {
	health.SystemClock
	told func()
}

const leasePoll = 200 * time.Millisecond // as in lease.go

func (w waiting) NewTimer(d time.Duration) health.Timer {
	if d == leasePoll {
		w.told()
	}
	return w.SystemClock.NewTimer(d)
}

// A process that prunes knows nothing of a revision that comes after it has looked:
// that one neither finds nor brings an image before the pruning has ended.
func TestPruningSparesARolloutThatBeginsMeanwhile(t *testing.T) {
	s := newScene(t)
	s.furnish()
	s.keeps(1)
	one, two := s.version("1.0.0", "1", nil), s.version("2.0.0", "2", nil)
	_, err := s.create(one.Ref)
	s.must(err)

	meanwhile := make(chan struct{}) // the other waits, or was let on
	tell := sync.OnceFunc(func() { close(meanwhile) })
	other, err := core.Open(t.Context(), core.Config{DataDir: s.dir, Clock: waiting{told: tell},
		NewDriver: func(engine.Node) (node.Driver, error) { return s.node.Driver(""), nil }})
	s.must(err)
	t.Cleanup(func() { _ = other.Close() })
	beside := shop(one.Ref)
	beside.Prefix = "beside"
	began, pruned := make(chan error, 1), make(chan struct{})
	var once sync.Once
	s.node.SetFault(func(method, name string) error {
		switch {
		case method == "prune":
			once.Do(func() {
				go func() {
					_, err := other.CreateDeployment(t.Context(), beside, nil)
					began <- err
				}()
				<-meanwhile
			})
		case method == "pull" && name == one.Images["api"]:
			tell() // too early: the image is still there, and about to go
		case method == "create":
			select {
			case <-meanwhile:
				<-pruned
			default:
			}
		}
		return nil
	})
	_, err = s.update(two.Ref)
	close(pruned)
	s.must(err)
	s.must(<-began)
	if !s.has(one.Images["api"]) {
		t.Errorf("on the node are %v", s.node.Images())
	}
}
