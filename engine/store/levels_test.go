package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// levelRows are rows as a release of that level wrote them. Those of lower levels
// are there too, brought up by the migrations between.
var levelRows = map[int]string{
	1: `
INSERT INTO engine VALUES ('eng_old', 1);
INSERT INTO teams VALUES ('acme', 'acme', 'old', 1, TRUE);
INSERT INTO nodes VALUES ('acme/here', 'acme', 'here', '', '{"zone":"a"}', 'open', 'local', '{"address":"127.0.0.1"}', 5, 1, TRUE);
INSERT INTO registries VALUES ('acme/main', 'acme', 'main', 'registry.example', 'ci', '', 3, 1, TRUE);
INSERT INTO products VALUES ('acme/shop', 'acme', 'shop', 'complex', '', '{}', 1, TRUE);
INSERT INTO versions VALUES ('acme/shop/1.0.0', 'acme/shop', '1.0.0', 'incremental', NULL, 'first', 'active', '{"api":{"image":"app:1"}}', '{"api":"app:1@sha256:01"}', 1, 'sha256:1', TRUE, TRUE, 1, TRUE);
INSERT INTO versions VALUES ('acme/shop/2.0.0', 'acme/shop', '2.0.0', 'incremental', 'acme/shop/1.0.0', '', 'preferred', '{"api":{"image":"app:2"}}', '{"api":"app:2@sha256:02"}', 2, 'sha256:2', TRUE, FALSE, 1, TRUE);
INSERT INTO versions VALUES ('acme/shop/edge', 'acme/shop', 'edge', 'rolling', NULL, '', 'active', '{}', '{}', 0, 'sha256:e', FALSE, FALSE, 1, TRUE);
INSERT INTO environments VALUES ('acme/production', 'acme', 'production', 'acme/here', 'production', '', '{"LEVEL":"9"}', '', '', TRUE, 2, 1, TRUE);
INSERT INTO deployments VALUES ('acme/production/shop', 'acme/production', 'acme/here', 'acme/shop', 'shop', 'acme/shop/2.0.0@sha256:2', 'acme/shop/2.0.0', 'running', '{"A":"b"}', '{"api":{"replicas":2}}', '{"Type":"rolling","MaxParallel":1,"AutoRollback":true}', FALSE, '', TRUE, NULL, 2, TRUE, 1, TRUE);
INSERT INTO revisions VALUES ('acme/production/shop', 1, 'obsolete', 'acme/shop/1.0.0', 'acme/shop/1.0.0@sha256:1', 'acme/shop/1.0.0', '1.0.0', 'create', '', 1, 2, 'op_1', '{"api":"app:1@sha256:01"}', '["api: create"]', '{"components":{}}');
INSERT INTO revisions VALUES ('acme/production/shop', 2, 'successful', 'acme/shop/2.0.0', 'acme/shop/2.0.0@sha256:2', 'acme/shop/2.0.0@sha256:2', '2.0.0', 'update', '', 3, 4, 'op_2', '{"api":"app:2@sha256:02"}', '["api: replace"]', '{"components":{}}');
INSERT INTO operations VALUES ('op_2', 'acme/production/shop', 'update', 'succeeded', 'process 1', 3, 4, '');
INSERT INTO operation_steps VALUES ('op_2', 1, 'pull app:2', 'api', 'done', 1, 3, 4, '');
INSERT INTO leases VALUES ('deployment acme/production/shop', 'gone', '{"ID":"gone","PID":1,"Host":"elsewhere"}', 1, 2);
INSERT INTO pins VALUES ('run', 'acme/shop/2.0.0@sha256:2', 'api', 'app:2', 'sha256:02', 4102444800000000000);
INSERT INTO secrets VALUES ('environment', 'acme/production', 'TOKEN', x'010203', 'hash');
`,
	10: `
UPDATE nodes SET ingress = '{"http_port":8080}' WHERE id = 'acme/here';
INSERT INTO ingress_parts VALUES ('acme/production/shop', '{"sites":[]}');
INSERT INTO ingress_claims VALUES ('acme/here', 'shop.acme.dev/', 'acme/production/shop', 'api', 'web');
`,
	4: `
INSERT INTO served VALUES ('acme/production', 'acme/production/gone', 'acme/shop/edge@sha256:e', '{}', 60, 0);
`,
	2: `
INSERT INTO nodes (id, team_id, name, description, labels, allocation, kind, local, keep_versions, created_at, confirmed, docker)
VALUES ('acme/there', 'acme', 'there', '', '{}', 'closed', 'docker', 'null', 0, 1, TRUE, '{"host":"tcp://10.0.0.1:2376"}');
`,
}

// TestEveryLevelOpens: a store of every earlier level is copied and brought up to
// date, and nothing that it held is lost.
func TestEveryLevelOpens(t *testing.T) {
	_, newest := store.MigrationFiles()
	for level := 1; level <= newest; level++ {
		t.Run(fmt.Sprint(level), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), store.FileName)
			ok(t, store.WriteLevel(context.Background(), path, level, levelRows))
			holds(t, path, newest, level)
			backup := fmt.Sprintf("%s.backup-%d", path, level)
			copied, err := os.Stat(backup)
			if level == newest {
				if err == nil {
					t.Error("a store that is up to date was copied")
				}
				return
			}
			ok(t, err)
			if copied.Mode().Perm() != 0o600 {
				t.Errorf("the copy has mode %v", copied.Mode())
			}
			if others, _ := filepath.Glob(path + ".backup-*"); len(others) != 1 {
				t.Errorf("copies: %v, want one of level %d", others, level)
			}
			if was := must[int](t)(store.LevelOf(backup)); was != level {
				t.Errorf("the copy is of level %d", was)
			}
			// Put back in its place it is brought up to date again.
			ok(t, os.Rename(backup, path))
			holds(t, path, newest, level)
		})
	}
}

// holds opens the store, and demands all of what levelRows wrote.
func holds(t *testing.T, path string, newest, written int) {
	t.Helper()
	ctx := context.Background()
	s := openAt(t, path)
	if level := must[int](t)(s.Level()); level != newest || s.EngineID() != "eng_old" {
		t.Errorf("it is at level %d, engine %s", level, s.EngineID())
	}
	sound(t, s)
	same(t, "old", must[engine.Team](t)(s.Team(ctx, "acme")).Description)
	here := must[engine.Node](t)(s.Node(ctx, "acme/here"))
	same(t, []any{engine.NodeLocal, "127.0.0.1", 5, "a", true}, []any{here.Kind, here.Local.Address, here.KeepVersions, here.Labels["zone"], here.Docker == nil})
	if written >= 2 {
		same(t, "tcp://10.0.0.1:2376", must[engine.Node](t)(s.Node(ctx, "acme/there")).Docker.Host)
	}
	if written >= 10 {
		same(t, 8080, here.Ingress.HTTPPort)
		same(t, []store.IngressPart{{DeploymentID: "acme/production/shop", Part: []byte(`{"sites":[]}`)}}, must[[]store.IngressPart](t)(s.IngressParts(ctx, "acme/here")))
		claim := catalog.Claim{Place: "shop.acme.dev/", Component: "api", Route: "web"}
		same(t, []store.IngressClaim{{Claim: claim, DeploymentID: "acme/production/shop"}}, must[[]store.IngressClaim](t)(s.IngressClaims(ctx, "acme/here")))
	} else {
		same(t, true, here.Ingress == nil)
	}
	registries := must[[]engine.Registry](t)(s.ListRegistriesByTeam(ctx, "acme"))
	same(t, int64(3), *registries[0].PasswordVersion)
	same(t, "complex", must[engine.Product](t)(s.Product(ctx, "acme/shop")).Type)
	versions := must[[]store.VersionRecord](t)(s.ListVersionsByProduct(ctx, "acme/shop"))
	same(t, 3, len(versions))
	first, second := versions[1], versions[2]
	same(t, []any{"first", true, true, "app:1@sha256:01"}, []any{first.Changelog, first.Sealed, first.Retired, first.Images["api"]})
	same(t, []any{true, true}, []any{first.ParentGiven, second.ParentGiven}) // they stay where they are
	same(t, []any{first.ID, 2, engine.VersionPreferred, "app:2"}, []any{second.ParentID, second.Number, second.Status, second.Components["api"].Image})
	environment := must[engine.Environment](t)(s.Environment(ctx, "acme/production"))
	same(t, []any{"9", true, int64(2)}, []any{*environment.Variables["LEVEL"], environment.DeletionProtection, *environment.SecretsVersion})
	keepsItsDeployment(t, s)
	served := must[store.Served](t)(s.Served(ctx, "acme/production", "acme/shop/2.0.0@sha256:2", map[string]string{"api": "app:2@sha256:02"}))
	same(t, true, served.Ever && served.For > 24*time.Hour)
	if written >= 4 {
		same(t, store.Served{Ever: true, For: 60}, must[store.Served](t)(s.Served(ctx, "acme/production", "acme/shop/edge@sha256:e", map[string]string{})))
	}
	secrets := must[map[string]store.Secret](t)(s.Secrets(ctx, engine.KindEnvironment, "acme/production"))
	same(t, map[string]store.Secret{"TOKEN": {Cipher: []byte{1, 2, 3}, Hash: "hash"}}, secrets)
	same(t, "sha256:02", must[string](t)(s.PinnedImage(ctx, "run", "acme/shop/2.0.0@sha256:2", "api", "app:2")))
	ok(t, s.Close())
}

// keepsItsDeployment also demands that it can go on: the next revision, a
// rollback, succeeds, and the old lease is in nobody's way.
func keepsItsDeployment(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, id := context.Background(), "acme/production/shop"
	d := must[store.DeploymentRecord](t)(s.Deployment(ctx, id))
	same(t, []any{2, "acme/shop/2.0.0@sha256:2", true, true, "b", 2, "acme/shop/1.0.0@sha256:1"},
		[]any{d.Serving, d.Version, d.Held, d.DeletionProtection, *d.Variables["A"], *d.Components["api"].Replicas, d.Observed.PreviousVersion})
	operation := must[engine.Operation](t)(s.Operation(ctx, "op_2"))
	same(t, []any{engine.OperationSucceeded, "pull app:2"}, []any{operation.Status, operation.Steps[0].Name})
	ok(t, s.AcquireLease(ctx, "deployment "+id, store.ThisProcess(), time.Minute))
	r := must[store.Revision](t)(s.CreateRevision(ctx, store.Revision{Revision: engine.Revision{DeploymentID: id, VersionRef: "acme/shop/1.0.0@sha256:1"}}))
	ok(t, s.CommitRevision(ctx, id, r.Number))
	var statuses []engine.RevisionStatus
	for _, r := range must[[]store.Revision](t)(s.ListRevisionsByDeployment(ctx, id)) {
		statuses = append(statuses, r.Status)
	}
	same(t, []engine.RevisionStatus{engine.RevisionSuccessful, engine.RevisionDowngraded, engine.RevisionObsolete}, statuses)
}
