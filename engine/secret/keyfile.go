package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// FileName is the name of the key file in the data directory.
const FileName = "encryption.key"

// keyFile reads the identity from the data directory, and makes it there when
// it is missing. Of several processes that make it at once one wins and all
// read the same.
func keyFile(dataDir string) (*age.X25519Identity, error) {
	path := filepath.Join(dataDir, FileName)
	identity, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return identity, err
	}
	if err := makeKey(path); err != nil {
		return nil, unusable(err)
	}
	return readKey(path)
}

// readKey reads a file as age-keygen writes it: comments and one identity. A
// missing file is fs.ErrNotExist.
func readKey(path string) (*age.X25519Identity, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, unusable(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		_ = f.Chmod(0o600) // a file put back by hand; where it cannot be changed it still works
	}
	identities, err := age.ParseIdentities(f)
	if err == nil && len(identities) == 1 {
		if identity, ok := identities[0].(*age.X25519Identity); ok {
			return identity, nil
		}
	}
	// What the parser says may quote the key.
	return nil, &engine.Error{
		Class: engine.ErrUnavailable, Reason: fmt.Sprintf("%s does not hold one age identity (AGE-SECRET-KEY-1…)", path),
		Hint: "put the original file back; without it the stored secrets cannot be read",
	}
}

// makeKey makes the file in one step, complete and on disk, or leaves the one
// that is there meanwhile.
func makeKey(path string) error {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, FileName+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintf(tmp, "# Slipway opens the secrets of this directory with this key: keep a copy in a safe place.\n# public key: %s\n%s\n", identity.Recipient(), identity)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name survive a loss of power. Not every system lets a
// directory be synced; there the name is as safe as the system makes it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

func unusable(err error) error {
	return &engine.Error{
		Class: engine.ErrUnavailable, Reason: "the encryption key file in the data directory cannot be read or made",
		Hint: "give this user read and write access to the data directory, or set encryption_key", Err: err,
	}
}
