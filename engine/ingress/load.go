package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"regexp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

const configPath = adminPath + "/config/"

// Load puts into force what the component has to do with what build answers. Build is asked again when somebody
// else's configuration came in between: of those that load at the same time none
// overwrites what it did not see, provided that build reads what to configure
// when it is asked. When the proxy refuses, what was in force stays so.
func (c *Client) Load(ctx context.Context, build func(ctx context.Context) (Input, error)) error {
	for {
		now, err := c.command(ctx, http.MethodGet, configPath, nil)
		if err != nil {
			return err
		}
		if now.status != http.StatusOK {
			return refused(now)
		}
		in, err := build(ctx)
		if err != nil {
			return err
		}
		config, err := Config(in, c.component)
		if err != nil {
			return err
		}
		r, err := c.command(ctx, http.MethodPost, configPath, config, "Content-Type", "application/json", "If-Match", now.header.Get("ETag"))
		switch {
		case err != nil:
			return err
		case r.status == http.StatusOK:
			return nil
		case r.status != http.StatusPreconditionFailed:
			return refused(r)
		}
	}
}

// Current is the configuration in force, as the proxy writes it.
func (c *Client) Current(ctx context.Context) ([]byte, error) {
	r, err := c.command(ctx, http.MethodGet, configPath, nil)
	if err != nil {
		return nil, err
	}
	if r.status != http.StatusOK {
		return nil, refused(r)
	}
	return r.body, nil
}

// InForce reports whether the component does what the input asks of it.
func (c *Client) InForce(ctx context.Context, in Input) (bool, error) {
	config, err := Config(in, c.component)
	if err != nil {
		return false, err
	}
	current, err := c.Current(ctx)
	if err != nil {
		return false, err
	}
	var has, wanted any
	if err := errors.Join(json.Unmarshal(current, &has), json.Unmarshal(config, &wanted)); err != nil {
		return false, err
	}
	return reflect.DeepEqual(has, wanted), nil
}

// layerMissing is how Caddy speaks of an app that it was built without.
var layerMissing = regexp.MustCompile(`(unknown module|module not registered): layer4`)

// refused explains why the proxy did not take a configuration.
func refused(r response) error {
	said := r.said()
	if layerMissing.MatchString(said) {
		return engine.Unsupported("tcp_ports", "the ingress's image has no layer4, which routes with protocol = \"tcp\" need",
			"Build an image of Caddy with it (xcaddy build --with github.com/mholt/caddy-l4) and name it in the node's ingress.image")
	}
	return &engine.Error{Class: engine.ErrUnavailable, Reason: "the node's ingress did not take its configuration: " + said,
		Hint: "What it served before it still serves; look whether its ports are free on the node, and whether ingress.image is Caddy 2.11 or newer"}
}
