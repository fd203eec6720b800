package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBoundedAndComplete(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			r.Fatal(err)
		}
		path := filepath.Join(dir, "x.log")
		size := rapid.Int64Range(20, 200).Draw(r, "size")
		files := rapid.IntRange(1, 4).Draw(r, "files")
		count := rapid.IntRange(0, 100).Draw(r, "lines")
		w, err := Open(path, size, files)
		if err != nil {
			r.Fatal(err)
		}
		var all []string
		for n := range count {
			all = append(all, fmt.Sprintf("line %d", n))
			if _, err := fmt.Fprintln(w, all[n]); err != nil {
				r.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			r.Fatal(err)
		}
		found, err := filepath.Glob(path + "*")
		if err != nil || len(found) > files {
			r.Fatalf("%d files, at most %d are wanted", len(found), files)
		}
		for _, f := range found {
			if info, err := os.Stat(f); err != nil || info.Size() > size {
				r.Fatalf("%s has %d bytes, at most %d are wanted", f, info.Size(), size)
			}
		}
		got, err := Tail(path, 1000)
		if err != nil {
			r.Fatal(err)
		}
		if want := all[len(all)-len(got):]; strings.Join(got, "|") != strings.Join(want, "|") {
			r.Fatalf("kept %q, want %q", got, want)
		}
		if count > 0 && len(got) == 0 {
			r.Fatal("nothing was kept")
		}
	})
}

func TestHugeLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	w, err := Open(path, 10, 2)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write([]byte(strings.Repeat("x", 95))); n != 95 || err != nil {
		t.Fatal(n, err)
	}
	got, err := Tail(path, 5)
	if err != nil || len(got) != 1 || len(got[0]) != 15 {
		t.Fatalf("%q %v", got, err)
	}
	if err := Remove(path); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) > 0 {
		t.Fatal(left)
	}
}

func TestTailOfNothing(t *testing.T) {
	if got, err := Tail(filepath.Join(t.TempDir(), "absent.log"), 5); err != nil || got != nil {
		t.Fatal(got, err)
	}
}
