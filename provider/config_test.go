package provider

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestConfigPrecedence(t *testing.T) {
	null, yes := types.StringNull(), types.BoolValue(true)
	for name, test := range map[string]struct {
		written attributes
		env     map[string]string
		want    Config
	}{
		"defaults":                        {attributes{DataDir: null}, nil, Config{DataDir: "/home/ci/.slipway"}},
		"environment":                     {attributes{}, map[string]string{envDataDir: "/env", envEncryptionKey: "K"}, Config{DataDir: "/env", EncryptionKey: "K"}},
		"attribute over environment":      {attributes{DataDir: types.StringValue("/attr")}, map[string]string{envDataDir: "/env"}, Config{DataDir: "/attr"}},
		"a relative directory":            {attributes{DataDir: types.StringValue("data")}, nil, Config{DataDir: "/home/ci/data"}},
		"a key in an attribute":           {attributes{EncryptionKey: types.StringValue("A")}, map[string]string{envEncryptionKey: "K"}, Config{DataDir: "/home/ci/.slipway", EncryptionKey: "A"}},
		"a hosted runner, allowed":        {attributes{AllowEphemeralDataDir: yes}, map[string]string{envHostedRun: "run-1"}, Config{DataDir: "/home/ci/.slipway"}},
		"a hosted runner, allowed in env": {attributes{}, map[string]string{envHostedRun: "run-1", envAllowEphemeral: "true"}, Config{DataDir: "/home/ci/.slipway"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, diags := test.written.resolve(in(test.env))
			if diags.HasError() {
				t.Fatal(diags)
			}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestConfigRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		written attributes
		env     map[string]string
		want    string
	}{
		"a hosted runner":            {attributes{}, map[string]string{envHostedRun: "run-1"}, "Data directory on a hosted runner"},
		"attribute over environment": {attributes{AllowEphemeralDataDir: types.BoolValue(false)}, map[string]string{envHostedRun: "run-1", envAllowEphemeral: "true"}, "Data directory on a hosted runner"},
		"neither true nor false":     {attributes{}, map[string]string{envAllowEphemeral: "perhaps"}, "Invalid environment variable"},
		"no working directory":       {attributes{}, map[string]string{"lost": "yes"}, "Unusable data directory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := test.written.resolve(in(test.env))
			if len(diags) != 1 || diags[0].Summary() != test.want {
				t.Errorf("got %v, want one %q", diags, test.want)
			}
		})
	}
}

func TestUnknownConfiguration(t *testing.T) {
	for _, a := range []attributes{
		{DataDir: types.StringUnknown()}, {EncryptionKey: types.StringUnknown()}, {AllowEphemeralDataDir: types.BoolUnknown()},
	} {
		if !a.unknown() {
			t.Errorf("%+v counts as known", a)
		}
	}
	if (attributes{DataDir: types.StringValue("x")}).unknown() {
		t.Error("a known configuration counts as unknown")
	}
}

// in are surroundings whose working directory is /home/ci.
func in(env map[string]string) surroundings {
	return surroundings{
		getenv: func(name string) string { return env[name] },
		abs: func(dir string) (string, error) {
			if env["lost"] != "" {
				return "", errors.New("gone")
			}
			if filepath.IsAbs(dir) {
				return dir, nil
			}
			return filepath.Join("/home/ci", dir), nil
		},
	}
}
