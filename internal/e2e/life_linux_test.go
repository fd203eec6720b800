package e2e

import (
	"os"
	"testing"
)

// ordinaryUser is who runs the tests that root runs as somebody else.
const ordinaryUser = 12345

var both = map[string]int{"api": 1, "db": 1}

// TestLife is a product's whole life, as whoever runs the tests and, for root,
// as an ordinary user too, and on a Docker node.
func TestLife(t *testing.T) {
	t.Parallel()
	t.Run("own user", func(t *testing.T) { t.Parallel(); live(t, os.Getuid(), local) })
	t.Run("ordinary user", func(t *testing.T) {
		t.Parallel()
		if os.Getuid() != 0 {
			t.Skip("this user is an ordinary one: run the tests as root to try another")
		}
		live(t, ordinaryUser, local)
	})
	t.Run("docker", func(t *testing.T) { t.Parallel(); live(t, os.Getuid(), docker(t)) })
}

func live(t *testing.T, uid int, on nodeKind) {
	w := newWorldOf(t, uid, on, shop)
	w.apply()
	w.expectSettled(both)
	answers(t, w.text("url"), "1.0.0")
	w.nothingToDo()

	db := w.pidOf("db")
	w.set("release", "1.1.0")
	w.apply()
	w.expectSettled(both)
	answers(t, w.text("url"), "1.1.0")
	if now := w.pidOf("db"); now != db {
		t.Errorf("db was not changed, but its process was: %d before, %d now", db, now)
	}
	w.nothingToDo()

	w.destroy()
	w.expectNothingLeft()
}
