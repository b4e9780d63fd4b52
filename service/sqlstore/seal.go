// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Keys are the encryption keys that a process has, oldest first. With more than one it reads
// what any of them has sealed. Which of them seals is the store's to say, and the last one's in
// a new store.
type Keys [][32]byte

// KeyID names a key. It tells nothing about the key itself.
func KeyID(key [32]byte) string {
	const bytes = 8
	id, err := hkdf.Key(sha256.New, key[:], nil, "dataservice id of an encryption key", bytes)
	if err != nil {
		panic("sqlstore: 8 bytes are always to be had: " + err.Error())
	}
	return hex.EncodeToString(id)
}

// IDs names the keys.
func (k Keys) IDs() []string {
	ids := make([]string, len(k))
	for i, key := range k {
		ids[i] = KeyID(key)
	}
	return ids
}

// A sealed secret is the id of its key, a colon, and what AES-256-GCM made of it in base64. That
// of the key that a store was made with is base64 alone: so it is with stores whose key was
// never replaced, also for programs that know of one key only.
const keySeparator = ":"

// keyring seals and opens secrets. What is sealed for one record opens for no other: the
// record's id is authenticated with it.
type keyring []sealingKey

type sealingKey struct {
	id   string
	aead cipher.AEAD
}

func newKeyring(keys Keys) keyring {
	ring := make(keyring, len(keys))
	for i, key := range keys {
		block, err := aes.NewCipher(key[:])
		if err != nil {
			panic("sqlstore: 32 bytes are always an AES-256 key: " + err.Error())
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			panic("sqlstore: AES always has GCM: " + err.Error())
		}
		ring[i] = sealingKey{KeyID(key), aead}
	}
	return ring
}

// ids names the keys of the ring.
func (r keyring) ids() []string {
	ids := make([]string, len(r))
	for i, k := range r {
		ids[i] = k.id
	}
	return ids
}

// newest is the key that was added last; nil where there is none.
func (r keyring) newest() *sealingKey {
	if len(r) == 0 {
		return nil
	}
	return &r[len(r)-1]
}

// open returns the secret that was sealed for the record.
func (r keyring) open(sealed, recordID string) (service.Secret, error) {
	if sealed == "" {
		return "", nil
	}
	id, text, named := strings.Cut(sealed, keySeparator)
	if !named {
		id, text = "", sealed
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("the secret of record %s is damaged: %w", recordID, err)
	}
	err = errors.New("this process does not have it")
	for _, k := range r {
		if named && k.id != id {
			continue
		}
		var secret []byte
		if secret, err = k.aead.Open(nil, nil, data, []byte(recordID)); err == nil {
			return service.Secret(secret), nil
		}
	}
	if named {
		return "", fmt.Errorf("the secret of record %s cannot be decrypted with the key %s: %w", recordID, id, err)
	}
	return "", fmt.Errorf("the secret of record %s cannot be decrypted with this key: %w", recordID, err)
}

// sealer is the key that the store has in use, as this process seals with it.
type sealer struct {
	sealingKey
	// name goes before what is sealed; "" for the key that the store was made with.
	name string
}

// close seals the secret for the record. "" stays "": there is nothing to hide.
func (s sealer) close(secret service.Secret, recordID string) string {
	if secret == "" {
		return ""
	}
	sealed := base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(secret.Reveal()), []byte(recordID))) //nolint:gosec // this AEAD draws a random nonce itself
	if s.name == "" {
		return sealed
	}
	return s.name + keySeparator + sealed
}

// The records that tell which keys are the store's.
const (
	keyCheckID   = "first"
	keyCheckWord = "This is the key."

	keyInUse    = "IN_USE"
	keyReplaced = "REPLACED"
)

// keyCheck is one of them.
type keyCheck struct{ id, sealed, state string }

func scanKeyCheck(r row) (c keyCheck, err error) { return c, r.Scan(&c.id, &c.sealed, &c.state) }

// text is the word, sealed with the key for the record of that id. It names no key: its id
// does.
func (k sealingKey) text(id string) string { return sealer{sealingKey: k}.close(keyCheckWord, id) }

// of returns the key that a record is of; nil where the ring lacks it.
func (r keyring) of(c keyCheck) *sealingKey {
	for i := range r {
		if c.id != keyCheckID && c.id != r[i].id {
			continue
		}
		if word, err := (keyring{r[i]}).open(c.sealed, c.id); err == nil && word == keyCheckWord {
			return &r[i]
		}
	}
	return nil
}

// ErrWrongKey is what [Open] answers for a store whose secrets it could not read: with another
// key, the passwords of all connections would be lost one by one.
var ErrWrongKey = errors.New("the store was made with another encryption key: start the service with the key file that belongs to this store")

// wrongKeyError is an [ErrWrongKey] that knows which key is missing.
type wrongKeyError string

func (e wrongKeyError) Error() string        { return string(e) }
func (e wrongKeyError) Is(target error) bool { return target == ErrWrongKey }

// check makes sure that the ring has each key that a secret may be sealed with.
func (r keyring) check(checks []keyCheck) error {
	has := "it has " + strings.Join(r.ids(), ", ")
	if len(r) == 0 {
		has = "it has none"
	}
	for _, c := range checks {
		switch {
		case r.of(c) != nil:
		case c.id == keyCheckID && (c.state == keyInUse || len(checks) == 1):
			return ErrWrongKey
		case c.state == keyInUse:
			return wrongKeyError(fmt.Sprintf("the store's secrets are encrypted with the key %s since it was rotated, and the key file lacks it (%s): "+
				"add that key to the file, as the services that run have it, and start again", c.id, has))
		default:
			return wrongKeyError(fmt.Sprintf("a rotation of the encryption key was not ended, and some secrets are still encrypted with the key before, which the key file lacks (%s): "+
				"put that key back, and run \"dataservice rotate-key\" to its end", has))
		}
	}
	if len(checks) == 0 {
		return ErrWrongKey
	}
	return nil
}

// keyring is what the store reads and seals with.
func (s *Store) keyring() keyring { return *s.keys.Load() }

// CheckKeys makes sure that the store could go on with these keys: with each that a secret may
// be sealed with, and maybe others.
func (s *Store) CheckKeys(ctx context.Context, keys Keys) error {
	return s.view(ctx, func(t *transaction) error {
		checks, err := t.keyChecks(ctx)
		if err != nil {
			return err
		}
		return newKeyring(keys).check(checks)
	})
}

// SetKeys has the store go on with these keys, which were checked.
func (s *Store) SetKeys(keys Keys) {
	ring := newKeyring(keys)
	s.keys.Store(&ring)
}

// checkKey makes sure that the process has the store's keys, and in a new store notes down
// its newest, sealed.
func (t *transaction) checkKey(ctx context.Context) error {
	k := t.store.keyring().newest()
	if k == nil {
		return ErrWrongKey
	}
	_, err := t.exec(ctx, blame{}, `INSERT INTO key_checks (id, sealed) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM key_checks) ON CONFLICT DO NOTHING`,
		keyCheckID, k.text(keyCheckID))
	if err != nil {
		return err
	}
	return t.compareKey(ctx)
}

// compareKey does so in a store that has it noted.
func (t *transaction) compareKey(ctx context.Context) error {
	checks, err := t.keyChecks(ctx)
	if err != nil {
		return err
	}
	return t.store.keyring().check(checks)
}

func (t *transaction) keyChecks(ctx context.Context) ([]keyCheck, error) {
	return many(ctx, t, scanKeyCheck, `SELECT id, sealed, state FROM key_checks ORDER BY state, id`)
}

// close seals the secret for the record with the key that the store has in use. Until the
// transaction ends, no other key is put to use.
func (t *transaction) close(ctx context.Context, secret service.Secret, recordID string) (string, error) {
	if secret == "" {
		return "", nil
	}
	s, err := t.sealing(ctx)
	if err != nil {
		return "", err
	}
	return s.close(secret, recordID), nil
}

// sealing returns the key in use, and keeps it so until the transaction ends.
func (t *transaction) sealing(ctx context.Context) (sealer, error) {
	if t.sealer != nil {
		return *t.sealer, nil
	}
	// Who waited here for the key to be replaced sees that the old one is not in use any
	// more, but not the new one yet: that takes another statement.
	const attempts = 3
	for range attempts {
		c, found, err := one(ctx, t, scanKeyCheck, `SELECT c.id, c.sealed, c.state FROM key_checks c WHERE c.state = ?`+t.store.engine.shareLock("c", "c"), keyInUse)
		if err != nil {
			return sealer{}, err
		}
		if !found {
			continue
		}
		k := t.store.keyring().of(c)
		if k == nil {
			return sealer{}, t.fail(service.Errorf(service.CodeUnavailable,
				"The store's encryption key was replaced, and this process lacks the new one, %s: add it to the process's key file, and send it SIGHUP or start it again.", c.id), blame{})
		}
		t.sealer = &sealer{sealingKey: *k}
		if c.id != keyCheckID {
			t.sealer.name = c.id
		}
		return *t.sealer, nil
	}
	return sealer{}, t.fail(service.Errorf(service.CodeInternal, "The store has no encryption key in use."), blame{})
}
