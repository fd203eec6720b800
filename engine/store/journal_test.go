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
	begin := func(deployment string) store.Operation {
		c.pass(time.Millisecond)
		return must[store.Operation](t)(s.CreateOperation(ctx, store.Operation{DeploymentID: deployment, Kind: "update", Owner: "process 7"}))
	}
	a, b, other := begin("acme/e/a"), begin("acme/e/a"), begin("acme/e/b")
	if a.ID >= b.ID || b.ID >= other.ID || a.ID[:3] != "op_" {
		t.Errorf("ids do not sort by time: %s %s %s", a.ID, b.ID, other.ID)
	}
	same(t, a, must[store.Operation](t)(s.Operation(ctx, a.ID)))

	pull := must[store.Step](t)(s.StartStep(ctx, a.ID, "pull", "api", "image"))
	create := must[store.Step](t)(s.StartStep(ctx, a.ID, "create", "api", ""))
	ok(t, s.FinishStep(ctx, a.ID, pull.Seq, store.StepDone, ""))
	ok(t, s.FinishStep(ctx, a.ID, create.Seq, store.StepFailed, "port taken"))
	c.pass(time.Second)
	again := must[store.Step](t)(s.StartStep(ctx, a.ID, "create", "api", "once more"))
	if pull.Seq != 1 || create.Seq != 2 || again.Seq != 2 || again.Attempt != 2 {
		t.Errorf("steps are %+v, %+v, %+v", pull, create, again)
	}
	pull.Status, pull.Finished = store.StepDone, a.Started.Add(2*time.Millisecond)
	same(t, []store.Step{pull, again}, must[store.Operation](t)(s.Operation(ctx, a.ID)).Steps)
	refused(t, s.FinishStep(ctx, a.ID, 9, store.StepDone, ""), engine.ErrNotFound)

	ok(t, s.FinishOperation(ctx, a.ID, store.OperationFailed, "boom"))
	ok(t, s.FinishOperation(ctx, a.ID, store.OperationSucceeded, "")) // too late
	_, err := s.StartStep(ctx, a.ID, "late", "", "")
	refused(t, err, engine.ErrNotFound)
	same(t, []string{b.ID}, must[[]string](t)(s.InterruptOperations(ctx, "acme/e/a")))
	same(t, nil, must[[]string](t)(s.InterruptOperations(ctx, "acme/e/a")))

	got := map[string]store.OperationStatus{}
	var order []string
	for _, o := range must[[]store.Operation](t)(s.ListOperations(ctx, store.OperationFilter{})) {
		got[o.ID], order = o.Status, append(order, o.ID)
		if (o.Status == store.OperationRunning) != o.Finished.IsZero() {
			t.Errorf("%s is %s and finished at %v", o.ID, o.Status, o.Finished)
		}
	}
	same(t, map[string]store.OperationStatus{a.ID: "failed", b.ID: "interrupted", other.ID: "running"}, got)
	same(t, []string{other.ID, b.ID, a.ID}, order)
	for _, f := range []store.OperationFilter{{DeploymentID: "acme/e/b"}, {Status: store.OperationRunning}, {Limit: 1}} {
		if list := must[[]store.Operation](t)(s.ListOperations(ctx, f)); len(list) != 1 || list[0].ID != other.ID {
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
