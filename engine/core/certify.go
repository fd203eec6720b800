package core

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/ingress"
)

// Certify implements rollout.Proxy. The ingress is told of the routes as of sites
// that are coming. When their certificates are there the next Lead tells it all;
// when it is in vain it is to ask for them no longer.
func (w *ways) Certify(ctx context.Context, component string, routes map[string]engine.Route) error {
	p, err := w.readPart(ctx, w.node.ID, w.deployment)
	if err != nil {
		return err
	}
	wanted := uncertified(p, w.deployment, component, routes)
	if len(wanted) == 0 {
		return nil
	}
	if err := w.announce(ctx, component, routes); err != nil {
		return err
	}
	err = w.push(ctx)
	for _, s := range wanted {
		if err == nil {
			err = w.awaitCertificate(ctx, s)
		}
	}
	whole := context.WithoutCancel(ctx)
	if end := w.announce(whole, component, nil); err == nil {
		return end
	}
	if failed := w.push(whole); failed != nil {
		w.log.WarnContext(whole, "the ingress still asks for a certificate in vain", "node", w.node.ID, "error", failed.Error())
	}
	return err
}

// uncertified are the routes whose certificates an issuer has to sign, but for
// those that are led already.
func uncertified(p part, deployment, component string, routes map[string]engine.Route) []ingress.Site {
	var all []ingress.Site
	for _, name := range slices.Sorted(maps.Keys(routes)) {
		route := routes[name]
		certified := slices.ContainsFunc(p.sites(deployment), func(s ingress.Site) bool {
			return s.Route.Host == route.Host && issuerOf(s.Route) == issuerOf(route)
		})
		if issuerOf(route) != "" && !certified {
			all = append(all, ingress.Site{Deployment: deployment, Component: component, Name: name, Route: route, Coming: true})
		}
	}
	return all
}

// issuerOf is who signs for a route, "" where nobody has to.
func issuerOf(r engine.Route) string {
	if r.TLS == nil || r.TLS.CertificateSecret != "" {
		return ""
	}
	return cmp.Or(r.TLS.Issuer, engine.IssuerACME)
}

// announce tells the store which routes of a component are coming.
func (w *ways) announce(ctx context.Context, component string, routes map[string]engine.Route) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.coming[component] = routes; routes == nil {
		delete(w.coming, component)
	}
	p, err := w.readPart(ctx, w.node.ID, w.deployment)
	if err != nil {
		return err
	}
	return w.put(ctx, p)
}

func (w *ways) awaitCertificate(ctx context.Context, s ingress.Site) error {
	for pause := (health.Backoff{}); ; {
		there, err := w.certified(ctx, s)
		if there || err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-w.after(pause.Next()):
		case <-ctx.Done():
			if why := context.Cause(ctx); !errors.Is(why, context.DeadlineExceeded) {
				return why
			}
			return w.noCertificate(context.WithoutCancel(ctx), s)
		}
	}
}

func (w *ways) certified(ctx context.Context, s ingress.Site) (bool, error) {
	to, err := w.proxies(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range to {
		if there, err := p.Certified(ctx, s, w.clock.Now()); p.proven && (err != nil || !there) {
			return false, err
		}
	}
	return true, nil
}

// noCertificate tells what the ingress says of a certificate that it could not get.
func (w *ways) noCertificate(ctx context.Context, s ingress.Site) error {
	reason := "the ingress got no certificate for " + s.Route.Host
	to, err := w.proxies(ctx)
	if err != nil {
		return err
	}
	for _, p := range to {
		lines, err := w.driver.Logs(ctx, p.key, complaintLines)
		if said := complaint(lines, s.Route.Host); err == nil && said != "" {
			reason += ": " + said
			break
		}
	}
	return &engine.Error{Class: engine.ErrUnavailable, Reason: reason,
		Hint: `See that the host leads to the node, and that the authority reaches its port 80; or set tls.issuer = "internal", or bring a certificate of your own`}
}

// complaintLines is how many lines of a proxy's log are looked through.
const complaintLines = 500

// complaint is what went wrong last with a host's certificate, in Caddy's log.
func complaint(lines []string, host string) string {
	for _, text := range slices.Backward(lines) {
		var line struct{ Identifier, Error string }
		if json.Unmarshal([]byte(text), &line) == nil && line.Identifier == host && line.Error != "" {
			return line.Error
		}
	}
	return ""
}
