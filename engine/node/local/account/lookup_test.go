package account

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

const (
	passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\npostgres:x:999:998:PostgreSQL:/var/lib/postgresql:/bin/bash\n"
	group  = "root:x:0:\npostgres:x:998:\nssl-cert:x:103:www,postgres\ntape:x:26:postgres\n"
)

func TestLookup(t *testing.T) {
	for spec, want := range map[string]Account{
		"":              {Home: "/root"},
		"postgres":      {UID: 999, GID: 998, Groups: []int{103, 26}, Home: "/var/lib/postgresql"},
		"999":           {UID: 999, GID: 998, Groups: []int{103, 26}, Home: "/var/lib/postgresql"},
		"4711":          {UID: 4711},
		"4711:12":       {UID: 4711, GID: 12},
		"postgres:tape": {UID: 999, GID: 26, Home: "/var/lib/postgresql"},
		"postgres:":     {UID: 999, GID: 998, Groups: []int{103, 26}, Home: "/var/lib/postgresql"},
		"0:ssl-cert":    {UID: 0, GID: 103, Home: "/root"},
		":ssl-cert":     {UID: 0, GID: 103, Home: "/root"},
		"2147483647:0":  {UID: 2147483647},
	} {
		got, err := Lookup(spec, passwd, group)
		if err != nil {
			t.Errorf("%q: %v", spec, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", spec, d)
		}
	}
	for _, spec := range []string{"nobody", "postgres:nobody", "-1", "4294967296"} {
		if _, err := Lookup(spec, passwd, group); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%q: %v", spec, err)
		}
	}
}
