package attrs_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

func TestValidatorsNameTheAttribute(t *testing.T) {
	at := path.Root("strategy").AtName("min_healthy_time")
	for name, test := range map[string]struct {
		rule  validator.String
		value types.String
		want  string // "" = accepted
	}{
		"good duration":    {attrs.Duration(), types.StringValue("30s"), ""},
		"bad duration":     {attrs.Duration(), types.StringValue("soon"), `strategy.min_healthy_time: "soon" is not a duration`},
		"empty duration":   {attrs.Duration(), types.StringValue(""), "strategy.min_healthy_time: a duration must not be empty"},
		"null duration":    {attrs.Duration(), types.StringNull(), ""},
		"unknown duration": {attrs.Duration(), types.StringUnknown(), ""},
		"good name":        {attrs.NameSyntax(), types.StringValue("shop-1"), ""},
		"bad name":         {attrs.NameSyntax(), types.StringValue("Shop_1"), "strategy.min_healthy_time: "},
	} {
		t.Run(name, func(t *testing.T) {
			var resp validator.StringResponse
			test.rule.ValidateString(t.Context(), validator.StringRequest{Path: at, ConfigValue: test.value}, &resp)
			switch {
			case test.want == "" && resp.Diagnostics.HasError():
				t.Errorf("refused: %v", resp.Diagnostics)
			case test.want != "" && (len(resp.Diagnostics) != 1 || !strings.HasPrefix(resp.Diagnostics[0].Detail(), test.want)):
				t.Errorf("got %v, want one error that begins with %q", resp.Diagnostics, test.want)
			}
		})
	}
}
