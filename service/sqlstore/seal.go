// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// seal encrypts secrets with AES-256-GCM. What is sealed for one record opens for no
// other: the record's id is authenticated with it.
type seal struct{ aead cipher.AEAD }

func newSeal(key [32]byte) seal {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("sqlstore: 32 bytes are always an AES-256 key: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("sqlstore: AES always has GCM: " + err.Error())
	}
	return seal{aead}
}

// close seals the secret for the record. "" stays "": there is nothing to hide.
func (s seal) close(secret service.Secret, recordID string) string {
	if secret == "" {
		return ""
	}
	sealed := s.aead.Seal(nil, nil, []byte(secret.Reveal()), []byte(recordID)) //nolint:gosec // this AEAD draws a random nonce itself
	return base64.StdEncoding.EncodeToString(sealed)
}

// open returns the secret that was sealed for the record.
func (s seal) open(sealed, recordID string) (service.Secret, error) {
	if sealed == "" {
		return "", nil
	}
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("the secret of record %s is damaged: %w", recordID, err)
	}
	secret, err := s.aead.Open(nil, nil, data, []byte(recordID))
	if err != nil {
		return "", fmt.Errorf("the secret of record %s cannot be decrypted with this key: %w", recordID, err)
	}
	return service.Secret(secret), nil
}

// The record that tells whether the key is the store's.
const (
	keyCheckID   = "first"
	keyCheckWord = "This is the key."
)

// ErrWrongKey is what [Open] answers for a store that was made with another key: with another key, the passwords of all connections
// would be lost one by one.
var ErrWrongKey = errors.New("the store was made with another encryption key: start the service with the key file that belongs to this store")

// checkKey makes sure that the store's key is the one it was made with, and in a new
// store notes it down, sealed.
func (t *transaction) checkKey(ctx context.Context) error {
	_, err := t.exec(ctx, blame{}, `INSERT INTO key_checks (id, sealed) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`,
		keyCheckID, t.store.seal.close(keyCheckWord, keyCheckID))
	if err != nil {
		return err
	}
	sealed, found, err := one(ctx, t, scanText, `SELECT sealed FROM key_checks WHERE id = ?`, keyCheckID)
	if err != nil {
		return err
	}
	if word, err := t.store.seal.open(sealed, keyCheckID); !found || err != nil || word != keyCheckWord {
		return ErrWrongKey
	}
	return nil
}
