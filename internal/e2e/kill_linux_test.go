package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testenv"
)

// Environment variables of the kill test.
const (
	envSeed   = "SLIPWAY_E2E_SEED"   // to kill at the same moments again
	envRounds = "SLIPWAY_E2E_ROUNDS" // how many applies are killed
)

// TestKills kills the provider, terraform or the supervisor at a random moment
// of many applies. The next apply must always converge, without help.
func TestKills(t *testing.T) {
	t.Run("local", func(t *testing.T) { kills(t, local) })
	t.Run("docker", func(t *testing.T) { kills(t, docker(t)) })
}

func kills(t *testing.T, on nodeKind) {
	seed := uint64(testenv.Number(t, envSeed, int(time.Now().UnixNano()&0xffffff)))
	rounds := testenv.Number(t, envRounds, on.rounds)
	if testing.Short() && os.Getenv(envRounds) == "" {
		rounds = min(10, rounds)
	}
	t.Logf("%s=%d %s=%d", envSeed, seed, envRounds, rounds)
	random := rand.New(rand.NewPCG(seed, 0))

	w := on.newWorld(t, shop)
	w.apply()
	w.set("release", "1.1.0")
	began := time.Now()
	w.apply()
	usual := time.Since(began)

	met, all := map[string]int{}, slices.Concat(victims, on.victims)
	for round := range rounds {
		release := []string{"1.0.0", "1.1.0"}[round%2]
		victim := all[random.IntN(len(all))]
		after := time.Duration(random.Int64N(int64(usual)))
		w.set("release", release)
		label := fmt.Sprintf("round %d: %s killed after %s of the apply of %s", round, victim.name, after, release)

		apply := w.start(applyArgs...)
		select {
		case <-time.After(after):
		case <-apply.done:
		}
		found := w.census()
		targets := victim.of(found)
		w.awaitState(found, targets)
		killed := kill(targets)
		first := apply.wait()
		met[fmt.Sprintf("%s killed %v, apply failed %v", victim.name, killed > 0, first.code != 0)]++

		if second := w.run(applyArgs...); second.code != 0 {
			t.Fatalf("%s; it had ended with %d:\n%s\nthe next apply ended with %d:\n%s", label, first.code, first.said, second.code, second.said)
		}
		w.converged(label, release, round%5 == 0)
		if t.Failed() {
			t.Fatalf("%s; it had ended with %d:\n%s", label, first.code, first.said)
		}
	}
	t.Logf("usual apply %s; %v", usual, met)
	w.destroy()
	w.expectNothingLeft()
}

// converged holds when just what is wanted runs, and answers.
func (w *world) converged(label, release string, plan bool) {
	w.t.Helper()
	var last error
	until(w.t, patience, func() error {
		if last = w.settled(both); last != nil {
			return fmt.Errorf("%s: %w", label, last)
		}
		return nil
	})
	answers(w.t, w.text("url"), release)
	if plan {
		w.nothingToDo()
	}
}

// victim is what a round may kill.
type victim struct {
	name string
	of   func(census) []process
}

var victims = []victim{
	{"provider", func(c census) []process { return c.providers }},
	{"terraform", func(c census) []process { return c.terraforms }},
	{"terraform and its provider", func(c census) []process { return slices.Concat(c.terraforms, c.providers) }},
}

// awaitState stops the terraforms among the targets at a moment when their state is
// whole: Terraform empties the file before it writes it anew, and one that is killed
// in between has forgotten all that there is, with any provider.
func (w *world) awaitState(found census, targets []process) {
	w.t.Helper()
	until(w.t, patience, func() error {
		for _, p := range found.terraforms {
			if !slices.Contains(targets, p) {
				continue
			}
			_ = syscall.Kill(p.pid, syscall.SIGSTOP)
			if !stands(p.pid) {
				return fmt.Errorf("%v goes on", p)
			}
		}
		text, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
		if len(targets) == 0 || os.IsNotExist(err) || json.Valid(text) {
			return nil
		}
		for _, p := range targets {
			_ = syscall.Kill(p.pid, syscall.SIGCONT)
		}
		return fmt.Errorf("of the state there are %d bytes, which is not all", len(text))
	})
}

// stands reports whether every thread of a process is stopped, or gone.
func stands(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if _, state, found := bytes.Cut(text, []byte(") ")); err == nil && found && !bytes.ContainsAny(state[:1], "TZX") {
			return false
		}
	}
	return err == nil
}

// kill answers how many were there to be killed.
func kill(all []process) (killed int) {
	for _, p := range all {
		if syscall.Kill(p.pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	return killed
}
