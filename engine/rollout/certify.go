package rollout

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
)

// certify gets the certificates of routes while all that serves goes on.
func (r *run) certify(ctx context.Context, lines []line) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range lines {
		if l.way == nil || !l.way.secure() {
			continue
		}
		group.Go(func() error {
			return r.step(ctx, Step{Name: "certify", Component: l.way.Component}, engine.PhaseSwitch, func() error {
				deadline, cancel := health.WithTimeout(ctx, r.Clock, r.in.Strategy.ProgressDeadline)
				defer cancel()
				return r.Proxy.Certify(deadline, l.way.Component, l.way.Routes)
			})
		})
	}
	return group.Wait()
}

// secure reports whether visitors of any of the routes come by TLS.
func (w Way) secure() bool {
	for _, route := range w.Routes {
		if route.TLS != nil {
			return true
		}
	}
	return false
}
