package component_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
)

func TestMovingImagesAreWarnedOf(t *testing.T) {
	var diags diag.Diagnostics
	component.WarnMoving(map[string]engine.Component{
		"api": {Image: "registry.acme.dev/shop/api"}, "db": {Image: "postgres:17"}, "web": {Image: "nginx:latest"},
		"pinned": {Image: "nginx:latest@sha256:" + strings.Repeat("a", 64)},
	}, &diags)
	if diags.HasError() || len(diags) != 2 {
		t.Fatalf("got %v", diags)
	}
	for i, want := range []string{`components["api"].image`, `components["web"].image`} {
		if at, ok := diags[i].(diag.DiagnosticWithPath); !ok || at.Path().String() != want || !strings.Contains(diags[i].Detail(), "Pin a version or a digest") {
			t.Errorf("got %v, want a warning at %s", diags[i], want)
		}
	}
}
