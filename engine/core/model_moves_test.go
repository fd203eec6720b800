package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
)

// move is something that somebody asks of the engine.
type move interface {
	run(ctx context.Context, e *core.Engine) error
	// expect says how it ends, and changes the model as it should change the engine.
	expect(m *model) verdict
}

// deploy creates or updates a deployment, as Terraform would.
type deploy struct {
	environment, prefix string
	ref                 string
	create, confirm     bool
	late                bool // something it refers to changes on the way: it fails, as one of a bad version does
}

func (d deploy) id() string { return engine.JoinID(d.environment, d.prefix) }

func (d deploy) wanted() engine.Deployment {
	return engine.Deployment{EnvironmentID: d.environment, Prefix: d.prefix, Version: d.ref, Strategy: engine.Strategy{
		Type: "rolling", MaxParallel: 1, MinHealthyTime: "300ms", ProgressDeadline: "3s", DrainTimeout: "1s", AutoRollback: true,
	}}
}

func (d deploy) run(ctx context.Context, e *core.Engine) error {
	if !d.create {
		_, err := e.UpdateDeployment(ctx, d.wanted(), nil)
		return err
	}
	if _, err := e.CreateDeployment(ctx, d.wanted(), nil); err != nil || !d.confirm {
		return err
	}
	return e.Confirm(ctx, engine.KindDeployment, d.id())
}

func (d deploy) expect(m *model) verdict {
	id := d.id()
	present, there := m.deployments[id]
	version, _, err := engine.SplitRef(d.ref)
	if err != nil {
		return err
	}
	v, known := m.versions[version]
	switch owner := m.owner(d.environment, d.prefix); {
	case d.create && there && present.confirmed:
		return engine.ErrExists
	case !d.create && !there, !known:
		return engine.ErrNotFound
	case !d.late && m.refOf(version) != d.ref:
		return engine.ErrConflict
	case d.create && (v.status == engine.VersionDeprecated || owner != "" && owner != id):
		return engine.ErrConflict
	}
	serving := present.serving()
	if present.hurt == killed {
		present.hurt = whole
	}
	for i, r := range present.revisions {
		if r.status == engine.RevisionInProgress {
			present.revisions[i].status = engine.RevisionFailed
		}
	}
	m.deployments[id] = present
	switch {
	case (d.late || v.content.Bad != "") && serving == nil:
		delete(m.deployments, id)
		return errRollout
	case d.late || v.content.Bad != "":
		m.revise(id, version, engine.RevisionFailed)
		return errRollout
	case serving == nil || serving.ref != d.ref || serving.level != m.levels[d.environment]:
		m.revise(id, version, engine.RevisionFailed)
		m.succeed(id, len(m.deployments[id].revisions))
	}
	present = m.deployments[id]
	present.hurt, present.confirmed = whole, present.confirmed || d.create && d.confirm
	m.deployments[id] = present
	return nil
}

func (d deploy) String() string {
	verb := map[bool]string{true: "create", false: "update"}[d.create]
	return fmt.Sprintf("%s %s to %.40s", verb, d.id(), d.ref)
}

// destroy deletes a deployment.
type destroy struct{ id string }

func (d destroy) run(ctx context.Context, e *core.Engine) error { return e.DeleteDeployment(ctx, d.id) }
func (d destroy) String() string                                { return "destroy " + d.id }

func (d destroy) expect(m *model) verdict {
	if _, there := m.deployments[d.id]; !there {
		return engine.ErrNotFound
	}
	delete(m.deployments, d.id)
	return nil
}

// addVersion creates a version, and confirms it.
type addVersion struct {
	id      string
	rolling bool
	parent  string
	status  string
	content content
	confirm bool
	found   *modelVersion // what was there when it began, where that may have changed on the way: its images are kept
}

// pins are the images of a version that is written over what is there, nil for nothing.
func (a addVersion) pins(m *model, there *modelVersion) map[string]string {
	if a.found != nil {
		there = a.found
	}
	return m.pinned(a.content, there)
}

func (a addVersion) wanted() engine.Version {
	kind := engine.VersionIncremental
	if a.rolling {
		kind = engine.VersionRolling
	}
	return engine.Version{
		ID: a.id, ProductID: engine.ParentID(a.id), Name: engine.BaseName(a.id), Type: kind, Status: a.status,
		ParentID: a.parent, Components: a.content.components(),
	}
}

func (a addVersion) run(ctx context.Context, e *core.Engine) error {
	if _, err := e.CreateVersion(ctx, a.wanted()); err != nil || !a.confirm {
		return err
	}
	return e.Confirm(ctx, engine.KindVersion, a.id)
}

func (a addVersion) expect(m *model) verdict {
	v, there := m.versions[a.id]
	switch {
	case there && v.sealed && v.content != a.content:
		return engine.ErrConflict
	case there && !v.retired && v.confirmed:
		return engine.ErrExists
	case there && v.sealed:
		v.status = a.status
	case there:
		v.status, v.pins, v.content = a.status, a.pins(m, &v), a.content
	default:
		v = modelVersion{rolling: a.rolling, status: a.status, content: a.content, pins: a.pins(m, nil)}
		if a.rolling {
			break
		}
		parent, before, refused := m.place(a.id, a.parent)
		if refused != nil {
			return refused
		}
		v.parent, v.given, v.number = parent, a.parent != "", m.insert(a.id, parent, before)
	}
	v.retired, v.confirmed = false, a.confirm
	m.write(a.id, v)
	return nil
}

func (a addVersion) String() string { return fmt.Sprintf("add %s (%s) %+v", a.id, a.status, a.content) }

// editVersion changes a version.
type editVersion struct{ addVersion }

func (e editVersion) run(ctx context.Context, to *core.Engine) error {
	_, err := to.UpdateVersion(ctx, e.wanted())
	return err
}

func (e editVersion) expect(m *model) verdict {
	v, there := m.versions[e.id]
	switch {
	case there && v.sealed && v.content != e.content:
		return engine.ErrConflict
	case !there || v.retired:
		return engine.ErrNotFound
	}
	v.pins, v.content, v.status = e.pins(m, &v), e.content, e.status
	m.write(e.id, v)
	return nil
}

func (e editVersion) String() string { return "edit" + e.addVersion.String()[len("add"):] }

// dropVersion takes a version out of Terraform.
type dropVersion struct {
	id      string
	retires bool // a revision that comes and goes meanwhile keeps it
}

func (d dropVersion) run(ctx context.Context, e *core.Engine) error {
	return e.DeleteVersion(ctx, d.id)
}
func (d dropVersion) String() string { return "drop " + d.id }

func (d dropVersion) expect(m *model) verdict {
	v, there := m.versions[d.id]
	switch {
	case !there || v.retired:
		return engine.ErrNotFound
	case v.sealed || d.retires || m.childOf(d.id) != "" || m.used(d.id):
		v.retired = true
		m.versions[d.id] = v
	default:
		delete(m.versions, d.id)
	}
	return nil
}

// setLevel changes a variable of an environment: nothing that runs, until it is
// deployed again.
type setLevel struct{ environment, level string }

func (s setLevel) run(ctx context.Context, e *core.Engine) error {
	env, err := e.Environment(ctx, s.environment)
	if err == nil {
		env.Variables = engine.Variables{"LEVEL": &s.level}
		_, err = e.UpdateEnvironment(ctx, env, nil)
	}
	return err
}

func (s setLevel) expect(m *model) verdict { m.levels[s.environment] = s.level; return nil }

// verdictOf sorts how a move really ended.
func verdictOf(err error) verdict {
	var failed *engine.RolloutError
	if err == nil || errors.As(err, &failed) {
		return map[bool]verdict{true: nil, false: errRollout}[err == nil]
	}
	classes := []error{engine.ErrNotFound, engine.ErrExists, engine.ErrInvalid, engine.ErrConflict, engine.ErrBusy, engine.ErrUnavailable}
	if i := slices.IndexFunc(classes, func(class error) bool { return errors.Is(err, class) }); i >= 0 {
		return classes[i]
	}
	return err
}
