package docker

import (
	"context"
	"errors"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	imagetypes "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// Prune implements node.Driver. What others tagged, other engines too, and what
// any container was made from, stays.
func (d *Driver) Prune(ctx context.Context, keep []string) error {
	marked, err := d.api.ImageList(ctx, client.ImageListOptions{Filters: make(client.Filters).Add("reference", d.markRepository())})
	if err != nil {
		return d.failed("list images", err)
	}
	kept := map[string]bool{}
	for _, reference := range keep {
		kept[d.mark(reference)] = true
	}
	left := slices.DeleteFunc(marked.Items, func(i imagetypes.Summary) bool {
		return slices.ContainsFunc(i.RepoTags, func(t string) bool { return kept[plainTag(t)] })
	})
	if len(left) == 0 {
		return nil
	}
	containers, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return d.failed("list containers", err)
	}
	var errs []error
	for _, image := range left {
		used := slices.ContainsFunc(containers.Items, func(c container.Summary) bool { return c.ImageID == image.ID })
		errs = append(errs, d.forget(ctx, image.ID, used))
	}
	return errors.Join(errs...)
}

// forget takes back the marks; when nobody else tagged the image it goes, unless it is used.
func (d *Driver) forget(ctx context.Context, id string, used bool) error {
	found, err := d.api.ImageInspect(ctx, id) // a filtered list tells the tags that pass only
	if err != nil {
		return d.failed("look at image "+id, ignoreGone(err))
	}
	var names []string
	othersToo := false
	for _, t := range found.RepoTags {
		switch {
		case strings.HasPrefix(plainTag(t), d.markRepository()+":"):
			names = append(names, t)
		case !strings.Contains(t, "@"): // newer Engines tell the digest of a pull among the tags too
			othersToo = true
		}
	}
	switch {
	case used && !othersToo:
		return nil
	case !othersToo:
		names = append(names, found.RepoDigests...)
	}
	for _, name := range names {
		_, err := d.api.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true})
		if cerrdefs.IsConflict(err) { // a container was made from it meanwhile, so it stays ours
			return d.markAgain(ctx, id, names)
		}
		if ignoreGone(err) != nil {
			return d.failed("remove image "+name, err)
		}
	}
	return nil
}

// markAgain gives an image back the marks that were taken.
func (d *Driver) markAgain(ctx context.Context, id string, names []string) error {
	var errs []error
	for _, name := range names {
		if marks.MatchString(name) {
			_, err := d.api.ImageTag(ctx, client.ImageTagOptions{Source: id, Target: name})
			errs = append(errs, ignoreGone(err))
		}
	}
	return d.failed("keep image "+id, errors.Join(errs...))
}
