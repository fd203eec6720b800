package caps

import (
	"errors"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestWanted(t *testing.T) {
	for _, test := range []struct {
		add, drop []string
		want      Set
	}{
		{nil, nil, 0xa80425fb}, // as docker run shows in /proc/self/status
		{nil, []string{"ALL"}, 0},
		{[]string{"cap_sys_nice"}, []string{"ALL"}, 1 << 23},
		{[]string{"CHOWN"}, []string{"CHOWN"}, 0xa80425fb},
		{[]string{"ALL"}, nil, 1<<41 - 1},
	} {
		got, err := Wanted(test.add, test.drop)
		if err != nil || got != test.want {
			t.Errorf("add %v, drop %v: %x, want %x (%v)", test.add, test.drop, got, test.want, err)
		}
	}
	if _, err := Wanted([]string{"FLY"}, nil); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
}
