package core_test

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// raw reads the tables themselves: what is checked is not what checks.
type raw struct {
	db    *sql.DB
	known map[string]*sql.Stmt // by query
}

func openRaw(dir string) (*raw, error) {
	db, err := sql.Open("sqlite", "file://"+filepath.Join(dir, store.FileName)+"?mode=ro")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return &raw{db, map[string]*sql.Stmt{}}, err
}

func (r *raw) close() { _ = r.db.Close() }

// rows are all that the store says at one moment.
type rows struct {
	versions    map[string]versionRow
	deployments map[string]deploymentRow
	running     map[string]bool   // deployments with an operation that is under way
	levels      map[string]string // the variable LEVEL of each environment
}

type versionRow struct {
	rolling, sealed, retired, confirmed bool

	number         int
	parent, status string
	digest         string
	pins           map[string]string
}

type deploymentRow struct {
	node, prefix string
	serving      int
	confirmed    bool
	revisions    []revisionRow
}

type revisionRow struct {
	ref    string
	status engine.RevisionStatus
}

func (r *raw) owners(key string) (owners []string) {
	r.each("SELECT owner FROM leases WHERE key = ?", func(scan func(...any)) {
		var owner string
		scan(&owner)
		owners = append(owners, owner)
	}, key)
	return owners
}

func (r *raw) read() rows {
	all := rows{map[string]versionRow{}, map[string]deploymentRow{}, map[string]bool{}, map[string]string{}}
	r.each("SELECT id, variables FROM environments", func(scan func(...any)) {
		var id, text string
		variables := map[string]string{}
		scan(&id, &text)
		if err := json.Unmarshal([]byte(text), &variables); err != nil {
			panic(err)
		}
		all.levels[id] = variables["LEVEL"]
	})
	r.each("SELECT id, type, sealed, retired, confirmed, number, COALESCE(parent_id, ''), status, digest, images FROM versions", func(scan func(...any)) {
		var v versionRow
		var id, kind, images string
		scan(&id, &kind, &v.sealed, &v.retired, &v.confirmed, &v.number, &v.parent, &v.status, &v.digest, &images)
		v.rolling, v.pins = kind == engine.VersionRolling, map[string]string{}
		if err := json.Unmarshal([]byte(images), &v.pins); err != nil {
			panic(err)
		}
		for component, pin := range v.pins {
			v.pins[component] = pin[strings.LastIndexByte(pin, '@')+1:]
		}
		all.versions[id] = v
	})
	r.each("SELECT id, node_id, prefix, serving_revision, confirmed FROM deployments", func(scan func(...any)) {
		var d deploymentRow
		var id string
		scan(&id, &d.node, &d.prefix, &d.serving, &d.confirmed)
		all.deployments[id] = d
	})
	r.each("SELECT deployment_id, version_ref, status FROM revisions ORDER BY deployment_id, number", func(scan func(...any)) {
		var id string
		var one revisionRow
		scan(&id, &one.ref, &one.status)
		d := all.deployments[id]
		d.revisions = append(d.revisions, one)
		all.deployments[id] = d
	})
	r.each("SELECT DISTINCT deployment_id FROM operations WHERE status = 'running'", func(scan func(...any)) {
		var id string
		scan(&id)
		all.running[id] = true
	})
	return all
}

func (r *raw) each(query string, row func(scan func(...any)), args ...any) {
	if r.known[query] == nil {
		prepared, err := r.db.Prepare(query) //nolint:sqlclosecheck // closed with the database
		if err != nil {
			panic(err)
		}
		r.known[query] = prepared
	}
	found, err := r.known[query].Query(args...) //nolint:sqlclosecheck // closed below
	if err != nil {
		panic(err)
	}
	defer found.Close()
	for found.Next() {
		row(func(into ...any) {
			if err := found.Scan(into...); err != nil {
				panic(err)
			}
		})
	}
	if err := found.Err(); err != nil {
		panic(err)
	}
}
