package core_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// things are the containers, networks and volumes of a house's engine, with what
// tells that one was made anew.
func (h *house) things() (all []string) {
	h.Helper()
	own, ctx := make(client.Filters).Add("label", "slipway.engine="+h.engine.EngineID()), h.Context()
	containers, err1 := h.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: own})
	networks, err2 := h.docker.NetworkList(ctx, client.NetworkListOptions{Filters: own})
	volumes, err3 := h.docker.VolumeList(ctx, client.VolumeListOptions{Filters: own})
	h.must(errors.Join(err1, err2, err3))
	for _, c := range containers.Items {
		if c.State == container.StateRunning {
			all = append(all, "container "+c.Names[0]+" "+c.ID)
		}
	}
	for _, n := range networks.Items {
		all = append(all, "network "+n.Name+" "+n.ID)
	}
	for _, v := range volumes.Items {
		all = append(all, fmt.Sprint("volume ", v.Name, " ", v.CreatedAt))
	}
	slices.Sort(all)
	return all
}

func (h *house) wantThings(what string, want []string) {
	h.Helper()
	if got := h.things(); !slices.Equal(got, want) {
		h.Errorf("%s: there are %v, want %v", what, got, want)
	}
}

// drift is what the deployment shows to the next run.
func (h *house) drift(prefix string) []string {
	h.Helper()
	h.engine.BeginRun(h.Name() + prefix)
	d, err := h.engine.Deployment(h.Context(), h.where+"/"+prefix)
	h.must(err)
	return d.Observed.Drift
}

// Two engines, of data directories of their own, share a Docker Engine: neither
// sees or touches what the other made, and a prefix belongs to one of them.
func TestDockerNeighbours(t *testing.T) {
	t.Parallel()
	d := testdocker.Shared(t)
	r := testimage.Registry(t, testimage.RegistryOptions{})
	h, other := newHouse(t, d, r, 1), newHouse(t, d, r, 1)
	for n := range 2 {
		h.version(n + 1)
		other.version(n + 1)
	}
	h.deploy("near", "1.0.0")
	ours := h.things()
	if len(ours) != 3 {
		t.Fatalf("a deployment is %v", ours)
	}

	err := other.try("near", "1.0.0")
	if !errors.Is(err, engine.ErrConflict) {
		t.Fatalf("the prefix of another engine: %v", err)
	}
	var failed *engine.RolloutError
	if !errors.As(err, &failed) || !strings.Contains(failed.Message, h.engine.EngineID()) || !strings.Contains(failed.Message, "another prefix") {
		t.Errorf("the owner, and what to do, is not told: %v", err)
	}
	other.wantThings("a deployment that was refused", nil)
	other.deploy("far", "1.0.0")
	theirs := other.things()
	h.wantThings("beside another engine", ours)

	_, err = h.docker.ContainerStop(t.Context(), "far-web-1-1", client.ContainerStopOptions{})
	h.must(err)
	if mine, its := h.drift("near"), other.drift("far"); len(mine) > 0 || len(its) != 1 {
		t.Errorf("when the other's instance is stopped, here drifts %q, there %q", mine, its)
	}
	h.deploy("near", "2.0.0")
	if len(h.things()) != len(ours) {
		t.Errorf("an upgrade leaves %v", h.things())
	}
	_, err = h.docker.ContainerStart(t.Context(), "far-web-1-1", client.ContainerStartOptions{})
	h.must(err)
	other.wantThings("an upgrade by the neighbour", theirs)
	h.destroy("near")
	h.wantThings("destroyed", nil)
	other.wantThings("the neighbour is destroyed", theirs)
	if its := other.drift("far"); len(its) > 0 {
		t.Errorf("drift %q", its)
	}
	other.deploy("near", "2.0.0") // the prefix is free again
}
