package provider

import (
	"context"
	"errors"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

type opened struct {
	engine.Service
	dir string
}

func TestEnginesAreShared(t *testing.T) {
	opens := 0
	shared := &engines{open: func(_ context.Context, cfg Config) (engine.Service, error) {
		opens++
		if opens == 1 {
			return nil, errors.New("locked")
		}
		return &opened{dir: cfg.DataDir}, nil
	}}
	if _, err := shared.get(t.Context(), Config{DataDir: "/a"}); err == nil {
		t.Fatal("a failure to open was not told")
	}
	first, _ := shared.get(t.Context(), Config{DataDir: "/a"})
	again, _ := shared.get(t.Context(), Config{DataDir: "/a"})
	other, _ := shared.get(t.Context(), Config{DataDir: "/b"})
	if first == nil || first != again || first == other || opens != 3 {
		t.Errorf("got %v, %v and %v after %d opens, want one a directory, and a failure tried again", first, again, other, opens)
	}
}
