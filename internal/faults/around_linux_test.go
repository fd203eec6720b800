package faults_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// deployed is a scene in which a first version serves.
func deployed(t *testing.T, o testdocker.Options) (s *scene, serves string) {
	t.Helper()
	s = newScene(t, o)
	s.furnish()
	serves = s.version()
	s.must(s.apply(serves))
	return s, serves
}

// at does something once while a version is applied.
func (s *scene) at(w *wire, version string) error {
	s.Helper()
	s.wire.Store(w)
	err := s.apply(version)
	s.wire.Store(nil)
	if !w.was() {
		s.Fatalf("the rollout did not come to %s %s: %v", w.step, w.component, err)
	}
	return err
}

// refused demands a failed rollout that tells everything, and that what served
// serves.
func (s *scene) refused(err error, serves string, phase engine.Phase, says ...string) {
	s.Helper()
	var story *engine.RolloutError
	if !errors.As(err, &story) || story.Phase != phase || story.OperationID == "" {
		s.Fatalf("it should fail in %s: %v", phase, err)
	}
	for _, text := range says {
		if !strings.Contains(story.Detail(), text) {
			s.Errorf("it does not say %q: %s", text, story.Detail())
		}
	}
	s.converged(serves)
}

// again applies without a fault.
func (s *scene) again(version string) {
	s.Helper()
	s.open()
	was, err := s.engine.Deployment(s.Context(), id)
	s.must(err)
	if err := s.apply(version); err != nil {
		s.Errorf("applying again failed: %s", explain(err))
	}
	s.converged(version)
	if was.Observed.ServingVersion != version {
		s.tidy() // a rollout ends with it
	}
}

// fault is one that befalls a scene in which a version serves; it answers what
// serves then.
type fault struct {
	name  string
	falls func(s *scene, serves string) (now string)
}

func TestFaultsAroundTheEngine(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]fault{
		"below": {
			{"registry gone half-way through a pull", registryGone},
			{"new instance removed by hand", removedByHand("db")},
			{"old instance removed by hand", oldRemovedByHand},
			{"port taken by another program", portTaken},
		},
		"above": {
			{"two applies at once", twoApplies},
			{"engine gone before apply and destroy", goneBefore},
			{"connection cut", connectionCut}, // where nothing is any more
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, serves := deployed(t, testdocker.Options{Attempts: 1})
			for _, f := range faults {
				t.Run(f.name, func(t *testing.T) {
					whole := s.T
					defer func() { s.T = whole }()
					s.T = t
					serves = f.falls(s, serves)
				})
			}
		})
	}
}

// halfWay does something once a pull is in the middle of a blob, and lets that go on then.
func (s *scene) halfWay(do func()) func() {
	release := s.registry.HoldFrom(1)
	asked := s.registry.Count("GET /v2/shop/app/blobs/")
	return func() {
		defer release()
		s.await("a blob is half sent", func() bool { return s.registry.Count("GET /v2/shop/app/blobs/") > asked })
		do()
	}
}

func registryGone(s *scene, serves string) string {
	next := s.version()
	w := &wire{step: "pull", moment: during, act: s.halfWay(func() { s.registry.Off() })}
	s.refused(s.at(w, next), serves, engine.PhasePull, "cannot pull", "it was not touched", "cannot be reached", "check that the registry is up")
	s.must(s.registry.On())
	s.again(next)
	return next
}

// remove does what docker rm -f does.
func (s *scene) remove(component string, newest bool) {
	c := s.daemon.Client(s)
	all := s.instances()
	if newest {
		slices.Reverse(all)
	}
	for _, i := range all {
		if i.component == component {
			_, err := c.ContainerRemove(context.Background(), i.name, client.ContainerRemoveOptions{Force: true})
			if err != nil {
				s.Error(err)
			}
			return
		}
	}
	s.Errorf("there is no %s to remove", component)
}

func removedByHand(component string) func(s *scene, serves string) string {
	return func(s *scene, serves string) string {
		next := s.version()
		w := &wire{step: "start", component: component, moment: after, act: func() { s.remove(component, true) }}
		s.refused(s.at(w, next), serves, engine.PhaseStart, "the instance is gone", "was started again and serves")
		s.again(next)
		return next
	}
}

// The old instance is not needed any more once the new one is on its way.
func oldRemovedByHand(s *scene, _ string) string {
	next := s.version()
	w := &wire{step: "start", component: "api", moment: after, act: func() { s.remove("api", false) }}
	s.must(s.at(w, next))
	s.converged(next)
	s.tidy()
	return next
}

func portTaken(s *scene, serves string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	next := s.version(func(all map[string]engine.Component) {
		api := all["api"]
		api.Ports = map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: &taken}}
		all["api"] = api
	})
	was := s.instances()
	s.refused(s.apply(next), serves, engine.PhasePreflight, fmt.Sprint(taken), "choose another host_port", "it was not touched")
	if now := s.instances(); !slices.Equal(was, now) {
		s.Errorf("something was touched: %v, before %v", now, was)
	}
	s.must(l.Close())
	s.again(next)
	return next
}

func twoApplies(s *scene, _ string) string {
	next := s.version()
	other := &scene{T: s.T, dir: s.dir, registry: s.registry, daemon: s.daemon, node: s.node, clock: s.clock}
	other.open()
	defer other.close()
	var both sync.WaitGroup
	for _, one := range []*scene{s, other} {
		both.Go(func() {
			if err := one.apply(next); err != nil {
				s.Errorf("one of two applies failed: %s", explain(err))
			}
		})
	}
	both.Wait()
	s.converged(next)
	s.tidy()
	return next
}

// An apply that finds no Engine changes nothing, a destroy forgets nothing, and
// the next one leaves nothing but the volume.
func goneBefore(s *scene, serves string) string {
	next := s.version()
	s.must(s.daemon.Kill())
	var story *engine.RolloutError
	if err := s.apply(next); !errors.As(err, &story) || story.Phase != engine.PhasePreflight || !strings.Contains(story.Restored, "nothing was changed") {
		s.Errorf("applying without an Engine: %v", err)
	}
	err := s.engine.DeleteDeployment(s.Context(), id)
	if !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "does not answer") {
		s.Errorf("destroying without an Engine: %v", err)
	}
	s.must(s.daemon.Run())
	s.converged(serves)
	s.must(s.engine.DeleteDeployment(s.Context(), id))
	if things := s.daemon.Things(s); !slices.Equal(things, []string{"volume shop-db-data"}) {
		s.Errorf("left are %v", things)
	}
	return ""
}

// The data root is full before the image is there.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s, serves := deployed(t, testdocker.Options{Disk: "40m", Attempts: 1})
	s.filler = noise(20 << 20)
	big := s.version()
	s.filler = ""
	s.refused(s.apply(big), serves, engine.PhasePull, "no space left", "it was not touched", "free disk space")
	s.again(s.version())
}

// noise does not compress.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return string(b)
}

// The connection to the node is cut after the old instance was stopped; the
// rollout goes on over the next one.
func connectionCut(s *scene, _ string) string {
	server := testdocker.NewSSHD(s)
	n, err := s.engine.Node(s.Context(), "acme/there")
	s.must(err)
	n.Docker = &engine.DockerNode{
		Host: "ssh://root@" + server.Address + s.daemon.Socket(),
		SSH:  &engine.DockerSSH{KnownHosts: server.KnownHosts}, Keys: &engine.DockerKeys{SSH: server.PrivateKey},
	}
	_, err = s.engine.UpdateNode(s.Context(), n)
	s.must(err)
	s.must(s.apply(s.version()))
	next := s.version()
	s.must(s.at(&wire{step: "create", component: "db", moment: during, act: server.Restart}, next))
	s.converged(next)
	s.tidy()
	return next
}
