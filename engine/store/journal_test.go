package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func TestOperations(t *testing.T) {
	ctx, c := context.Background(), newClock()
	s := openWith(t, filepath.Join(t.TempDir(), store.FileName), store.Options{Now: c.now})
	begin := func(deployment string) engine.Operation {
		c.pass(time.Millisecond)
		return must[engine.Operation](t)(s.CreateOperation(ctx, engine.Operation{DeploymentID: deployment, Kind: "update", Owner: "process 7"}))
	}
	a, b, other := begin("acme/e/a"), begin("acme/e/a"), begin("acme/e/b")
	if a.ID >= b.ID || b.ID >= other.ID || a.ID[:3] != "op_" {
		t.Errorf("ids do not sort by time: %s %s %s", a.ID, b.ID, other.ID)
	}
	same(t, a, must[engine.Operation](t)(s.Operation(ctx, a.ID)))

	pull := must[engine.OperationStep](t)(s.StartStep(ctx, a.ID, "pull", "api", "image"))
	create := must[engine.OperationStep](t)(s.StartStep(ctx, a.ID, "create", "api", ""))
	ok(t, s.FinishStep(ctx, a.ID, pull.Seq, engine.StepDone, ""))
	ok(t, s.FinishStep(ctx, a.ID, create.Seq, engine.StepFailed, "port taken"))
	c.pass(time.Second)
	again := must[engine.OperationStep](t)(s.StartStep(ctx, a.ID, "create", "api", "once more"))
	if pull.Seq != 1 || create.Seq != 2 || again.Seq != 2 || again.Attempt != 2 {
		t.Errorf("steps are %+v, %+v, %+v", pull, create, again)
	}
	pull.Status, pull.FinishedAt = engine.StepDone, a.StartedAt.Add(2*time.Millisecond)
	same(t, []engine.OperationStep{pull, again}, must[engine.Operation](t)(s.Operation(ctx, a.ID)).Steps)
	refused(t, s.FinishStep(ctx, a.ID, 9, engine.StepDone, ""), engine.ErrNotFound)

	ok(t, s.FinishOperation(ctx, a.ID, engine.OperationFailed, "boom", "failed/check"))
	ok(t, s.FinishOperation(ctx, a.ID, engine.OperationSucceeded, "", "")) // too late
	_, err := s.StartStep(ctx, a.ID, "late", "", "")
	refused(t, err, engine.ErrNotFound)
	same(t, []string{b.ID}, must[[]string](t)(s.InterruptOperations(ctx, "acme/e/a")))
	same(t, nil, must[[]string](t)(s.InterruptOperations(ctx, "acme/e/a")))
	same(t, "failed/check", must[engine.Operation](t)(s.Operation(ctx, a.ID)).Code)
	same(t, "interrupted", must[engine.Operation](t)(s.Operation(ctx, b.ID)).Code)

	got := map[string]engine.OperationStatus{}
	var order []string
	for _, o := range must[[]engine.Operation](t)(s.ListOperations(ctx, engine.OperationFilter{})) {
		got[o.ID], order = o.Status, append(order, o.ID)
		if (o.Status == engine.OperationRunning) != o.FinishedAt.IsZero() {
			t.Errorf("%s is %s and finished at %v", o.ID, o.Status, o.FinishedAt)
		}
	}
	same(t, map[string]engine.OperationStatus{a.ID: "failed", b.ID: "interrupted", other.ID: "running"}, got)
	same(t, []string{other.ID, b.ID, a.ID}, order)
	for _, f := range []engine.OperationFilter{{DeploymentID: "acme/e/b"}, {Status: engine.OperationRunning}, {Limit: 1}} {
		if list := must[[]engine.Operation](t)(s.ListOperations(ctx, f)); len(list) != 1 || list[0].ID != other.ID {
			t.Errorf("%+v selects %v", f, list)
		}
	}
	_, err = s.Operation(ctx, "op_none")
	refused(t, err, engine.ErrNotFound)
}

func TestPinsExpire(t *testing.T) {
	ctx, c := context.Background(), newClock()
	s := openWith(t, filepath.Join(t.TempDir(), store.FileName), store.Options{Now: c.now})
	p := store.Pin{Run: "r", VersionID: "acme/shop/1.0.0", Component: "api", Reference: "app:1", Digest: "sha256:1"}
	read := func(run string) string {
		return must[string](t)(s.PinnedImage(ctx, run, p.VersionID, p.Component, p.Reference))
	}
	ok(t, s.PinImage(ctx, p, time.Minute))
	p.Digest = "sha256:2"
	ok(t, s.PinImage(ctx, p, time.Minute))
	if read("r") != "sha256:2" || read("other") != "" {
		t.Errorf("pinned are %q and %q", read("r"), read("other"))
	}
	c.pass(time.Minute)
	if d := read("r"); d != "" {
		t.Errorf("an expired pin answers %q", d)
	}
	p.Component = "db"
	ok(t, s.PinImage(ctx, p, time.Minute))
	ok(t, s.Exec("CREATE TABLE must_be_one (n INTEGER CHECK (n = 1)); INSERT INTO must_be_one SELECT COUNT(*) FROM pins")) // the expired one is gone
}
