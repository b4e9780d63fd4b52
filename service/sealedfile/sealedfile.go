// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package sealedfile keeps one stream of bytes in an encrypted file that is replaced as a
// whole. A file that was torn, shortened, changed, or made with another key or for another
// purpose is told from one that is whole.
package sealedfile

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// A file is a head and pieces. The head is the magic, a salt, the number of keys, and for each
// of them the secret of the file, sealed with a key that is made of it and the salt. The pieces'
// key is made of that secret and the whole head.
//
// Each piece is a length of 4 bytes, whose highest bit says that it is the last, and what
// AES-256-GCM makes of up to pieceSize bytes. The nonce counts the pieces and says which is the
// last, so that none can be left out, doubled or moved.
const (
	magic     = "dataservice sealed file 2\n"
	saltSize  = 32
	keySize   = 32
	slotSize  = keySize + 16
	maxKeys   = 255
	pieceSize = 64 << 10
	lastPiece = 1 << 31
)

var (
	// ErrFormat says that a file is none of this package, or of another release's.
	ErrFormat = errors.New("it is of another format")
	// ErrDamaged says that a file cannot be trusted.
	ErrDamaged = errors.New("it is torn or was changed, or was written with another key")
)

// Write replaces the file by what fn writes, for the owner alone. Each of the keys will read it. Whoever opens it, also
// after a crash, finds the old content or the new one. Two processes must not write the same
// file at a time.
func Write(path string, keys [][keySize]byte, purpose string, fn func(io.Writer) error) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary) }() // gone already where all went well
	if err := errors.Join(seal(f, keys, purpose, fn), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func seal(f *os.File, keys [][keySize]byte, purpose string, fn func(io.Writer) error) error {
	head, aead, err := newHead(keys, purpose)
	if err != nil {
		return err
	}
	if _, err := f.Write(head); err != nil {
		return err
	}
	w := &writer{to: f, aead: aead, piece: make([]byte, 0, pieceSize)}
	if err := fn(w); err != nil {
		return err
	}
	if err := w.flush(true); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes a rename last. Windows cannot, and does so by itself.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// newHead makes the head of a new file, and what its pieces are sealed with.
func newHead(keys [][keySize]byte, purpose string) (head []byte, aead cipher.AEAD, err error) {
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, nil, fmt.Errorf("a file is sealed with 1 to %d keys, not with %d", maxKeys, len(keys))
	}
	var random [saltSize + keySize]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, nil, err
	}
	salt, secret := random[:saltSize], random[saltSize:]
	head = append(append([]byte(magic), salt...), byte(len(keys)))
	for _, key := range keys {
		slot, err := newAEAD(key[:], salt, purpose)
		if err != nil {
			return nil, nil, err
		}
		head = slot.Seal(head, nonce(0, true), secret, nil) // the key is used this once
	}
	aead, err = newAEAD(secret, head, purpose)
	return head, aead, err
}

// readHead reads the head of a file with the first of the keys that is one of its own.
func readHead(from io.Reader, keys [][keySize]byte, purpose string) (cipher.AEAD, error) {
	head := make([]byte, len(magic)+saltSize+1)
	if n, err := io.ReadFull(from, head); string(head[:min(n, len(magic))]) != magic {
		return nil, ErrFormat
	} else if err != nil {
		return nil, damaged(err)
	}
	slots := make([]byte, slotSize*int(head[len(head)-1]))
	if _, err := io.ReadFull(from, slots); err != nil {
		return nil, damaged(err)
	}
	salt := head[len(magic) : len(magic)+saltSize]
	head = slices.Concat(head, slots)
	for _, key := range keys {
		aead, err := newAEAD(key[:], salt, purpose)
		if err != nil {
			return nil, err
		}
		for slot := range slices.Chunk(slots, slotSize) {
			if secret, err := aead.Open(nil, nonce(0, true), slot, nil); err == nil {
				return newAEAD(secret, head, purpose)
			}
		}
	}
	return nil, ErrDamaged
}

func newAEAD(key, salt []byte, purpose string) (cipher.AEAD, error) {
	own, err := hkdf.Key(sha256.New, key, salt, magic+purpose, keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// nonce of a piece.
func nonce(n uint64, last bool) []byte {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:], n)
	if last {
		b[11] = 1
	}
	return b[:]
}

type writer struct {
	to            io.Writer
	aead          cipher.AEAD
	n             uint64
	piece, sealed []byte
}

func (w *writer) Write(data []byte) (n int, err error) {
	n = len(data)
	for len(data) > 0 {
		if len(w.piece) == pieceSize {
			if err := w.flush(false); err != nil {
				return 0, err
			}
		}
		some := min(len(data), pieceSize-len(w.piece))
		w.piece = append(w.piece, data[:some]...)
		data = data[some:]
	}
	return n, nil
}

func (w *writer) flush(last bool) error {
	length := uint32(len(w.piece) + w.aead.Overhead())
	if last {
		length |= lastPiece
	}
	w.sealed = binary.BigEndian.AppendUint32(w.sealed[:0], length)
	w.sealed = w.aead.Seal(w.sealed, nonce(w.n, last), w.piece, nil)
	w.piece = w.piece[:0]
	w.n++
	_, err := w.to.Write(w.sealed)
	return err
}

// Read gives fn what the file holds, which one of the keys must have sealed. What fn has read is what was written, and in that order,
// but only where Read returns nil has fn seen all of it.
func Read(path string, keys [][keySize]byte, purpose string, fn func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written
	from := bufio.NewReaderSize(f, pieceSize)
	aead, err := readHead(from, keys, purpose)
	if err != nil {
		return err
	}
	r := &reader{from: from, aead: aead}
	if err := fn(r); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return err
}

type reader struct {
	from   io.Reader
	aead   cipher.AEAD
	n      uint64
	sealed []byte
	piece  []byte
	last   bool
}

func (r *reader) Read(data []byte) (int, error) {
	for len(r.piece) == 0 {
		if r.last {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(data, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}

// next opens the next piece.
func (r *reader) next() error {
	var head [4]byte
	if _, err := io.ReadFull(r.from, head[:]); err != nil {
		return damaged(err)
	}
	length := binary.BigEndian.Uint32(head[:])
	last := length&lastPiece != 0
	length &^= lastPiece
	if length > uint32(pieceSize+r.aead.Overhead()) {
		return ErrDamaged
	}
	if r.sealed == nil {
		r.sealed = make([]byte, pieceSize+r.aead.Overhead())
	}
	sealed := r.sealed[:length]
	if _, err := io.ReadFull(r.from, sealed); err != nil {
		return damaged(err)
	}
	piece, err := r.aead.Open(sealed[:0], nonce(r.n, last), sealed, nil)
	if err != nil {
		return ErrDamaged
	}
	if last {
		if _, err := io.ReadFull(r.from, head[:1]); !errors.Is(err, io.EOF) {
			return damaged(err)
		}
	}
	r.piece, r.last = piece, last
	r.n++
	return nil
}

// damaged leaves apart what the disk says of itself.
func damaged(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrDamaged
	}
	return err
}
