// Package secret seals values with the engine's own key, so that the store and
// its backups hold none in clear.
package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Box seals and opens values with one age identity. It is safe for concurrent use.
type Box struct {
	identity *age.X25519Identity
	hashKey  []byte
}

// Open makes a box from an age X25519 identity (AGE-SECRET-KEY-1…). When it is
// "" that is the one in <dataDir>/encryption.key, which is made at first need.
//
// A malformed identity is ErrInvalid with the field encryption_key; a key file
// that cannot be read or made is ErrUnavailable.
func Open(dataDir, identity string) (*Box, error) {
	if identity == "" {
		fromFile, err := keyFile(dataDir)
		if err != nil {
			return nil, err
		}
		return newBox(fromFile)
	}
	parsed, err := age.ParseX25519Identity(strings.TrimSpace(identity))
	if err != nil { // what the parser says may quote the key
		return nil, &engine.Error{
			Class: engine.ErrInvalid, Field: "encryption_key",
			Reason: "the value is not an age identity (AGE-SECRET-KEY-1…)",
			Hint:   "make one with age-keygen, or leave it out to keep a key file in data_dir",
		}
	}
	return newBox(parsed)
}

func newBox(identity *age.X25519Identity) (*Box, error) {
	// The hash has a key of its own, so that a hash tells nothing about the identity.
	key, err := hkdf.Key(sha256.New, []byte(identity.String()), nil, "slipway secret hash v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return &Box{identity: identity, hashKey: key}, nil
}

// Seal encrypts plain. Sealing the same value twice gives different bytes.
func (b *Box) Seal(plain []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, b.identity.Recipient())
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return sealed.Bytes(), nil
}

// Open decrypts what Seal made. ErrConflict means that it was sealed with
// another key, ErrUnavailable that it is damaged.
func (b *Box) Open(sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), b.identity)
	var wrongKey *age.NoIdentityMatchError
	if errors.As(err, &wrongKey) {
		return nil, engine.Conflict("the stored secrets were sealed with another encryption key",
			"put the former encryption_key or the file encryption.key of the data directory back, or give every secret again (raise its _version)")
	}
	if err != nil {
		return nil, damaged(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, damaged(err)
	}
	return plain, nil
}

func damaged(err error) error {
	return &engine.Error{
		Class: engine.ErrUnavailable, Reason: "a stored secret is damaged",
		Hint: "give the secret again (raise its _version)", Err: err,
	}
}

// Hash tells equal values of a name from different ones without telling what
// they are: "hmac-sha256:" and 64 hex digits. Boxes with the same identity
// agree. The same value under another name has another hash.
func (b *Box) Hash(name, value string) string {
	mac := hmac.New(sha256.New, b.hashKey)
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(name)))
	mac.Write(length[:]) // without it ("ab", "c") would be ("a", "bc")
	mac.Write([]byte(name))
	mac.Write([]byte(value))
	return "hmac-sha256:" + hex.EncodeToString(mac.Sum(nil))
}
