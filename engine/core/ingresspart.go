package core

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/ingress"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// part is what one deployment has in its node's ingress, as the store keeps it.
type part struct {
	Ways      []rollout.Way     `json:"ways"`
	Measured  bool              `json:"measured,omitempty"` // see ingress.Site
	Leaving   bool              `json:"leaving,omitempty"`  // likewise
	Addresses map[string]string `json:"addresses"`          // by instance:port, as node.Driver.Admit told them
	Secrets   []byte            `json:"secrets,omitempty"`  // sealed JSON of those that its routes name, by component

	// Coming are routes that wait for their certificates, by component.
	Coming map[string]map[string]engine.Route `json:"coming,omitempty"`
}

// doorsOf lists every port of an instance that the ways lead to, once each.
func doorsOf(ways []rollout.Way) []node.Door {
	var all []node.Door
	for _, w := range ways {
		for _, instance := range w.Instances {
			for name, route := range w.Routes {
				if port := portIn(w, name, route, instance); port > 0 {
					all = append(all, node.Door{Instance: instance, Port: port})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b node.Door) int { return strings.Compare(doorName(a), doorName(b)) })
	return slices.Compact(all)
}

// portIn is the port of the instance that a route leads to, 0 when it does not
// lead there.
func portIn(w rollout.Way, name string, route engine.Route, instance string) int {
	if slices.Contains(w.Canary, instance) {
		return w.CanaryPorts[name]
	}
	return route.Port
}

func doorName(d node.Door) string { return net.JoinHostPort(d.Instance, strconv.Itoa(d.Port)) }

func instanceOf(door string) string {
	name, _, _ := strings.Cut(door, ":")
	return name
}

// sites are the part's routes with where they lead.
func (p part) sites(deployment string) []ingress.Site {
	var all []ingress.Site
	for _, w := range p.Ways {
		for name, route := range w.Routes {
			s := ingress.Site{Deployment: deployment, Component: w.Component, Name: name, Route: route, Measured: p.Measured, Leaving: p.Leaving, CanaryWeight: w.Share}
			for _, instance := range w.Instances {
				port := portIn(w, name, route, instance)
				address := p.Addresses[doorName(node.Door{Instance: instance, Port: port})]
				if port == 0 || address == "" {
					continue
				}
				s.Backends = append(s.Backends, ingress.Backend{Instance: instance, Address: address, Canary: slices.Contains(w.Canary, instance)})
			}
			all = append(all, s)
		}
	}
	return all
}

// coming are the sites that wait for their certificates.
func (p part) coming(deployment string) []ingress.Site {
	var all []ingress.Site
	for component, routes := range p.Coming {
		for name, route := range routes {
			all = append(all, ingress.Site{Deployment: deployment, Component: component, Name: name, Route: route, Coming: true})
		}
	}
	return all
}

// certificates opens the part's certificates.
func (e *Engine) certificates(p part) ([]ingress.Certificate, error) {
	secrets, err := e.openRouteSecrets(p.Secrets)
	if err != nil {
		return nil, err
	}
	var all []ingress.Certificate
	for _, w := range p.Ways {
		for _, route := range w.Routes {
			if route.TLS == nil || route.TLS.CertificateSecret == "" {
				continue
			}
			c := ingress.Certificate{Chain: secrets[w.Component][route.TLS.CertificateSecret], PrivateKey: secrets[w.Component][route.TLS.PrivateKeySecret]}
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

func (e *Engine) openRouteSecrets(sealed []byte) (map[string]map[string]string, error) {
	secrets := map[string]map[string]string{}
	if len(sealed) == 0 {
		return secrets, nil
	}
	plain, err := e.box.Open(sealed)
	if err != nil {
		return nil, err
	}
	return secrets, json.Unmarshal(plain, &secrets)
}

func (e *Engine) sealRouteSecrets(ways []rollout.Way) ([]byte, error) {
	secrets := map[string]map[string]string{}
	for _, w := range ways {
		if len(w.Secrets) > 0 {
			secrets[w.Component] = w.Secrets
		}
	}
	if len(secrets) == 0 {
		return nil, nil
	}
	plain, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	return e.box.Seal(plain)
}

// readPart reads what a deployment has in its node's ingress.
func (e *Engine) readPart(ctx context.Context, nodeID, deployment string) (p part, err error) {
	all, err := e.store.IngressParts(ctx, nodeID)
	for _, stored := range all {
		if stored.DeploymentID == deployment {
			return p, json.Unmarshal(stored.Part, &p)
		}
	}
	return p, err
}

// inputOf is what the node says of its ingress. Only local nodes can tell it who its
// visitors are.
func inputOf(n engine.Node) ingress.Input {
	return ingress.Input{Node: *n.Ingress, ProxyProtocol: n.Kind == engine.NodeLocal}
}

// ingressInput gathers everything that a node's ingress is made of.
func (e *Engine) ingressInput(ctx context.Context, n engine.Node) (ingress.Input, error) {
	in := inputOf(n)
	parts, err := e.store.IngressParts(ctx, n.ID)
	if err != nil {
		return in, err
	}
	for _, stored := range parts {
		var p part
		if err := json.Unmarshal(stored.Part, &p); err != nil {
			return in, err
		}
		certificates, err := e.certificates(p)
		if err != nil {
			return in, err
		}
		in.Sites = append(in.Sites, p.sites(stored.DeploymentID)...)
		in.Sites = append(in.Sites, p.coming(stored.DeploymentID)...)
		in.Certificates = append(in.Certificates, certificates...)
	}
	return in, nil
}
