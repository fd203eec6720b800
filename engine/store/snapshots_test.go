package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func TestSnapshots(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	const id = "acme/production/shop"
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment("shop")))
	first := engine.Snapshot{Volume: "db/data", Name: "op_1", Revision: 1, Attempt: 2, Bytes: 42}
	for range 2 {
		ok(t, s.AddSnapshots(ctx, id, true, first))
	}
	known := must[[]store.Snapshot](t)(s.ListSnapshotsByDeployment(ctx, id))
	if len(known) != 1 || !known[0].Due || known[0].Bytes != 42 || known[0].TakenAt.IsZero() {
		t.Fatalf("%+v", known)
	}
	second := engine.Snapshot{Volume: "db/data", Name: "op_2", Revision: 2, Attempt: 3, TakenAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	if err := s.AddSnapshots(ctx, id, true, second); err == nil {
		t.Error("a volume is to be set back to two snapshots")
	}
	ok(t, s.SettleSnapshots(ctx, id))
	ok(t, s.AddSnapshots(ctx, id, false, second))
	known = must[[]store.Snapshot](t)(s.ListSnapshotsByDeployment(ctx, id))
	if len(known) != 2 || known[0].Due || known[1].Snapshot != second {
		t.Fatalf("%+v", known)
	}
	ok(t, s.KeepSnapshots(ctx, id, []engine.Snapshot{{Volume: "db/data", Name: "op_2"}, {Volume: "db/data", Name: "op_9"}}))
	if known = must[[]store.Snapshot](t)(s.ListSnapshotsByDeployment(ctx, id)); len(known) != 1 || known[0].Name != "op_2" {
		t.Fatalf("%+v", known)
	}
	ok(t, s.DeleteDeployment(ctx, id))
	if known = must[[]store.Snapshot](t)(s.ListSnapshotsByDeployment(ctx, id)); len(known) != 0 {
		t.Fatalf("left with the deployment: %+v", known)
	}
}
