package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the engine's own database driver
)

// TestEmptiedDataDirectory must not look as if everything had been deleted.
func TestEmptiedDataDirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop)
	w.apply()
	before := w.must("state", "list")
	kept := w.dir + "/kept"
	if err := os.Rename(w.data, kept); err != nil {
		t.Fatal(err)
	}
	w.applyFails("Different engine", "Nothing was changed or forgotten")
	if after := w.must("state", "list"); after != before {
		t.Errorf("the state has forgotten something:\n%s\nit had:\n%s", after, before)
	}
	if err := os.RemoveAll(w.data); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(kept, w.data); err != nil {
		t.Fatal(err)
	}
	w.nothingToDo()
	w.expectSettled(both)
}

// TestNewerStore is refused, and left as it is.
func TestNewerStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop)
	w.apply()
	url := w.text("url")
	level := w.layout()
	w.execute("PRAGMA user_version = 99")
	w.set("release", "1.1.0")
	w.applyFails("newer release", "Nothing was changed")
	answers(t, url, "1.0.0")
	w.execute(fmt.Sprintf("PRAGMA user_version = %d", level))
	w.apply()
	answers(t, w.text("url"), "1.1.0")
}

// layout tells the layout of the engine's database while nothing has it open.
func (w *world) layout() (level int) {
	w.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.data, "slipway.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it was only read
	if err := db.QueryRow("PRAGMA user_version").Scan(&level); err != nil {
		w.t.Fatal(err)
	}
	return level
}

// execute runs a statement on the engine's database while nothing has it open.
func (w *world) execute(statement string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.data, "slipway.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // what matters is the statement's error
	if _, err := db.Exec(statement); err != nil {
		w.t.Fatal(err)
	}
}

// full is how big the small disk is; the engine needs less.
const full = "size=96m"

// TestFullDisk fills the disk under the engine between two versions.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small disk: run the tests as root")
	}
	w := newWorld(t, shop)
	mount(t, w.data)
	w.apply()
	url := w.text("url")
	fill(t, filepath.Join(w.data, "ballast"))

	w.set("release", "1.1.0")
	said := w.applyFails()
	if !strings.Contains(said, "disk") && !strings.Contains(said, "no space left") {
		t.Errorf("the error does not name the full disk:\n%s", said)
	}
	answers(t, url, "1.0.0")
	w.expectSettled(both)

	if err := os.Remove(filepath.Join(w.data, "ballast")); err != nil {
		t.Fatal(err)
	}
	w.apply()
	w.expectSettled(both)
	answers(t, w.text("url"), "1.1.0")
	w.nothingToDo()
	w.destroy()
}

// fill writes until there is no space left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 1<<16); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2] // down to the last byte
		}
	}
	_ = f.Close()
}
