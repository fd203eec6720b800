package state

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

func TestRecord(t *testing.T) {
	in := Instance{Dir: t.TempDir()}
	want := Record{Spec: node.Spec{Key: node.Key{Deployment: "a/b/c", Name: "api-1-1"}, Component: engine.Component{WorkingDir: "/<srv>"}},
		Image: Image{Layers: []string{"/l/1"}, Env: []string{"A=b"}}}
	if err := WriteRecord(in, want); err != nil {
		t.Fatal(err)
	}
	got, altered, err := ReadRecord(in)
	if d := cmp.Diff(want, got); d != "" || altered || err != nil {
		t.Fatal(d, altered, err)
	}
	text, err := os.ReadFile(in.RecordFile())
	if err != nil {
		t.Fatal(err)
	}
	edit := func(from, to string) {
		if err := os.WriteFile(in.RecordFile(), []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit(`{"spec"`, "{\n  \"spec\"") // white space is no change
	if _, altered, err := ReadRecord(in); altered || err != nil {
		t.Fatal(altered, err)
	}
	edit("api-1-1", "api-9-9")
	if _, altered, err := ReadRecord(in); !altered || err != nil {
		t.Fatal(altered, err)
	}
}

func TestStatusBeforeTheFirstStart(t *testing.T) {
	dir := t.TempDir()
	s, err := ReadStatus(Instance{Dir: dir})
	if err != nil || s.State != node.Created || s.ExitCode != -1 {
		t.Fatal(s, err)
	}
	if _, err := ReadStatus(Instance{Dir: dir + "/absent"}); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "A", "-a", strings.Repeat("a", 101), "a\x00"} {
		if CheckName(name) == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
	s := Sandbox{Dir: t.TempDir()}
	if names, err := s.Names(); err != nil || names != nil {
		t.Fatal(names, err)
	}
	r := Root{Dir: "/root"}
	if a, b := r.Sandbox("e1", "t/e/p"), r.Sandbox("e2", "t/e/p"); a == b || len(a.ID()) != 12 {
		t.Error(a, b)
	}
	if got := r.Volume("acme/prod/shop", "db", "data"); got != "/root/v/acme.prod.shop/db.data" {
		t.Error(got)
	}
}

func TestRemoveLocked(t *testing.T) {
	dir := t.TempDir() + "/x"
	if err := os.MkdirAll(dir+"/a/b/c", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir + "/a/b/c", dir + "/a/b", dir + "/a"} {
		if err := os.Chmod(d, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatal(err)
	}
}
