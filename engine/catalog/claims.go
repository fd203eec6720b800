package catalog

import (
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Claim is a place on a node's ingress that only one route can have: a host with
// a path prefix, or a port. With TLS or without makes no difference, since a host
// with a certificate answers plain HTTP too.
type Claim struct {
	Place     string // as RoutePlace tells it
	Component string
	Route     string // its name
}

// Field is the path of the attribute that claims the place.
func (c Claim) Field() string { return strings.Join([]string{c.Component, "routes", c.Route}, ".") }

// Claims are those of all routes of the components, in the order of the names.
func Claims(cs map[string]engine.Component) []Claim {
	var all []Claim
	for component, c := range sorted(cs) {
		for name, r := range sorted(c.Routes) {
			all = append(all, Claim{Place: RoutePlace(r), Component: component, Route: name})
		}
	}
	return all
}

// validateClaims refuses two routes of a version in one place; fields are
// relative to the map of components.
func validateClaims(cs map[string]engine.Component) error {
	var p problems
	owners := map[string]Claim{}
	for _, c := range Claims(cs) {
		if owner, taken := owners[c.Place]; taken {
			p.invalid(c.Field(), "%s is already the place of components.%s", c.Place, owner.Field())
			continue
		}
		owners[c.Place] = c
	}
	return p.err()
}

// PlaceOwners tell who has the places on a node's ingress, by place.
type PlaceOwners map[string]PlaceOwner

// PlaceOwner is a deployment with the route that has a place.
type PlaceOwner struct {
	Deployment string // id
	Claim      Claim
}

// Add notes that the deployment has the places.
func (o PlaceOwners) Add(deployment string, claims ...Claim) {
	for _, c := range claims {
		o[c.Place] = PlaceOwner{deployment, c}
	}
}

// Check refuses places that others have, as joined engine.ErrConflict that name
// them.
func (o PlaceOwners) Check(nodeID string, claims []Claim) error {
	var p problems
	for _, c := range claims {
		if owner, taken := o[c.Place]; taken {
			p.add(&engine.Error{
				Class: engine.ErrConflict, Field: "version",
				Reason: fmt.Sprintf("route %s of component %s wants %s on node %s, which belongs to route %s of component %s of deployment %s",
					c.Route, c.Component, c.Place, nodeID, owner.Claim.Route, owner.Claim.Component, owner.Deployment),
				Hint: "use another host, path_prefix or listen_port, or take the route away there first",
			})
		}
	}
	return p.err()
}
