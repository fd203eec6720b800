package secret_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/secret"
)

func open(t testing.TB, dir, identity string) *secret.Box {
	t.Helper()
	b, err := secret.Open(dir, identity)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newIdentity(t testing.TB) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

func TestSealOpen(t *testing.T) {
	b := open(t, t.TempDir(), "")
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "plain")
		sealed, err := b.Seal(plain)
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) > 8 && strings.Contains(string(sealed), string(plain)) {
			t.Fatal("the sealed value holds the plain one")
		}
		back, err := b.Open(sealed)
		if err != nil || string(back) != string(plain) {
			t.Fatalf("opened %x, %v; want %x", back, err, plain)
		}
	})
}

func TestWrongKey(t *testing.T) {
	sealed, err := open(t, t.TempDir(), newIdentity(t)).Seal([]byte("canary"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = open(t, t.TempDir(), newIdentity(t)).Open(sealed)
	var e *engine.Error
	if !errors.As(err, &e) || !errors.Is(err, engine.ErrConflict) || !strings.Contains(e.Hint, "encryption_key") {
		t.Fatalf("another key answered %v", err)
	}
}

func TestDamagedValue(t *testing.T) {
	b := open(t, t.TempDir(), newIdentity(t))
	sealed, err := b.Seal([]byte("canary"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte{}, sealed...)
	flipped[len(flipped)-1] ^= 1
	for name, bad := range map[string][]byte{"flipped": flipped, "cut": sealed[:len(sealed)-3], "empty": nil, "foreign": []byte("canary")} {
		if plain, err := b.Open(bad); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("%s: opened %q, %v", name, plain, err)
		}
	}
}

func TestIdentityArgument(t *testing.T) {
	id, dir := newIdentity(t), t.TempDir()
	sealed, err := open(t, dir, id).Seal([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := open(t, dir, "\n "+id+"\n").Open(sealed); err != nil || string(plain) != "x" {
		t.Errorf("the same identity opened %q, %v", plain, err)
	}
	if _, err := os.Stat(filepath.Join(dir, secret.FileName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key file was made beside a given identity: %v", err)
	}
	_, err = secret.Open(dir, "AGE-SECRET-KEY-1CANARY")
	var e *engine.Error
	if !errors.As(err, &e) || e.Field != "encryption_key" || !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a malformed identity answered %v", err)
	}
	if strings.Contains(err.Error(), "CANARY") {
		t.Errorf("the error tells the key: %v", err)
	}
}

func TestKeyFileIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	hashes := make([]string, 16)
	var wg sync.WaitGroup
	for i := range hashes {
		wg.Go(func() {
			b, err := secret.Open(dir, "")
			if err != nil {
				t.Error(err)
				return
			}
			hashes[i] = b.Hash("n", "v")
		})
	}
	wg.Wait()
	for _, h := range hashes {
		if h != hashes[0] {
			t.Fatal("two openers have different keys")
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("the directory holds %v, %v; want the key file alone", entries, err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key file has mode %v, %v", info.Mode(), err)
	}
}

func TestKeyFilePutBackByHand(t *testing.T) {
	dir, id := t.TempDir(), newIdentity(t)
	path := filepath.Join(dir, secret.FileName)
	if err := os.WriteFile(path, []byte("# a comment\n"+id+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if open(t, dir, "").Hash("n", "v") != open(t, dir, id).Hash("n", "v") {
		t.Error("the file's identity was not used")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file stays readable by others: %v, %v", info.Mode(), err)
	}
}

func TestUnusableKeyFile(t *testing.T) {
	for name, prepare := range map[string]func(dir string) error{
		"garbage": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, secret.FileName), []byte("AGE-SECRET-KEY-1CANARY"), 0o600)
		},
		"empty": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, secret.FileName), nil, 0o600)
		},
		"directory": func(dir string) error { return os.Mkdir(filepath.Join(dir, secret.FileName), 0o700) },
	} {
		dir := t.TempDir()
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		_, err := secret.Open(dir, "")
		if !errors.Is(err, engine.ErrUnavailable) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.Open(file, ""); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a data directory that is a file answered %v", err)
	}
}

func TestHash(t *testing.T) {
	id := newIdentity(t)
	b, again, other := open(t, "", id), open(t, "", id), open(t, "", newIdentity(t))
	if b.Hash("n", "v") != again.Hash("n", "v") {
		t.Error("the same identity, name and value give two hashes")
	}
	seen := map[string]string{}
	for what, h := range map[string]string{
		"n=v": b.Hash("n", "v"), "n=w": b.Hash("n", "w"), "m=v": b.Hash("m", "v"),
		"nv=": b.Hash("nv", ""), "=nv": b.Hash("", "nv"), "other key": other.Hash("n", "v"),
	} {
		if before, twice := seen[h]; twice {
			t.Errorf("%s and %s have the same hash", before, what)
		}
		seen[h] = what
	}
}

func BenchmarkSealOpen(b *testing.B) {
	box := open(b, "", newIdentity(b))
	for b.Loop() {
		sealed, err := box.Seal([]byte("a password"))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := box.Open(sealed); err != nil {
			b.Fatal(err)
		}
	}
}
