package core_test

import (
	"flag"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testenv"
)

// How long the test of the model goes on, and from which seed: another seed is
// another walk, 0 a random one; and whether a long walk, too, has one engine at a time.
const (
	envModelSteps = "SLIPWAY_TEST_MODEL_STEPS"
	envModelSeed  = "SLIPWAY_TEST_MODEL_SEED"
	envModelAlone = "SLIPWAY_TEST_MODEL_ALONE"
)

// modelSteps is how many steps fit into a test run, walkSteps how many one
// universe lives, about.
const (
	modelSteps = 400
	walkSteps  = 100
)

// TestModel walks at random through everything that can be asked of the engine,
// with two engines on one store, deaths and faults, and compares them with the
// model after every step. Time is that of a synctest bubble: waiting is free.
func TestModel(t *testing.T) {
	steps := testenv.Number(t, envModelSteps, modelSteps)
	setFlag(t, "rapid.seed", testenv.Number(t, envModelSeed, 1))
	setFlag(t, "rapid.checks", (steps+walkSteps-1)/walkSteps)
	o := newOrigin(t)
	var done atomic.Int64
	began := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			u := o.newUniverse(t)
			defer u.close()
			for range walkSteps {
				u.step(t)
				u.mustHold(t)
				done.Add(1)
			}
		})
	})
	t.Logf("%d steps after %s", done.Load(), time.Since(began).Round(time.Second))
}

func setFlag(t *testing.T, name string, value int) {
	t.Helper()
	before := flag.Lookup(name).Value.String()
	if err := flag.Set(name, strconv.Itoa(value)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, before) })
}

// step is one thing that happens; the first is what a failure shrinks to.
func (u *universe) step(t *rapid.T) {
	steps := []func(*rapid.T){
		func(*rapid.T) {}, u.moveTag, u.tamper,
		func(t *rapid.T) { u.alone(t, u.drawVersion(t)) },
		func(t *rapid.T) { u.alone(t, u.drawVersion(t)) },
		func(t *rapid.T) { u.alone(t, u.drawDeploy(t)) },
		func(t *rapid.T) { u.alone(t, u.drawDeploy(t)) },
		func(t *rapid.T) { u.alone(t, u.drawOther(t)) },
		u.death, u.fault,
	}
	if os.Getenv(envModelSteps) != "" && os.Getenv(envModelAlone) == "" { // no two runs of what is done at once are the same
		steps = append(steps, u.twoAtOnce, u.twoAndOneDies)
	}
	rapid.SampledFrom(steps).Draw(t, "step")(t)
}

func (u *universe) mustHold(t *rapid.T) {
	if err := u.check(u.model, u.raw.read()); err != nil {
		u.fail(t, err)
	}
}
