// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sealedfile_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service/sealedfile"
)

func read(path string, keys [][32]byte, purpose string) (got []byte, err error) {
	err = sealedfile.Read(path, keys, purpose, func(r io.Reader) (err error) {
		got, err = io.ReadAll(r)
		return err
	})
	return got, err
}

func TestWhatIsNotWholeIsNotRead(t *testing.T) {
	t.Parallel()
	path, keys := filepath.Join(t.TempDir(), "file"), [][32]byte{{1}, {2}}
	for _, size := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_000} {
		want := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size]
		if err := sealedfile.Write(path, keys, "test", func(w io.Writer) error { _, err := w.Write(want); return err }); err != nil {
			t.Fatal(err)
		}
		if got, err := read(path, keys, "test"); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes come back as %d, %v", size, len(got), err)
		}
		if _, err := read(path, [][32]byte{{3}}, "test"); !errors.Is(err, sealedfile.ErrDamaged) {
			t.Errorf("with another key: %v", err)
		}
		for _, some := range [][][32]byte{{{1}}, {{2}}, {{3}, {2}}} {
			if got, err := read(path, some, "test"); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("with one of its keys %d bytes come back as %d, %v", size, len(got), err)
			}
		}
		if _, err := read(path, keys, "other"); !errors.Is(err, sealedfile.ErrDamaged) {
			t.Errorf("for another purpose: %v", err)
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(whole, []byte("abcdefg")) {
			t.Error("the file shows what it holds")
		}
		try := func(what string, data []byte) {
			t.Helper()
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := read(path, keys, "test"); !errors.Is(err, sealedfile.ErrDamaged) && !errors.Is(err, sealedfile.ErrFormat) {
				t.Errorf("%d bytes, %s: %d bytes are read, %v", size, what, len(got), err)
			}
		}
		step := max(1, len(whole)/97)
		for at := 0; at < len(whole); at += step {
			try("cut off", whole[:at])
			changed := bytes.Clone(whole)
			changed[at] ^= 1
			try("changed", changed)
		}
		// The end of a piece is no end of a file.
		const head, piece = 26 + 32 + 1 + 2*(32+16), 4 + 64<<10 + 16
		if len(whole) > head+piece {
			try("cut off after a piece", whole[:head+piece])
			try("without its first piece", append(bytes.Clone(whole[:head]), whole[head+piece:]...))
		}
		try("with something behind", append(bytes.Clone(whole), 0))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
}

func TestAWriteThatFailsLeavesTheFileAsItWas(t *testing.T) {
	t.Parallel()
	path, keys, failure := filepath.Join(t.TempDir(), "file"), [][32]byte{{1}}, errors.New("no")
	write := func(text string, err error) error {
		return sealedfile.Write(path, keys, "test", func(w io.Writer) error {
			_, _ = io.WriteString(w, text)
			return err
		})
	}
	if err := write("old", nil); err != nil {
		t.Fatal(err)
	}
	if err := write("new", failure); !errors.Is(err, failure) {
		t.Errorf("the write ends with %v", err)
	}
	if got, err := read(path, keys, "test"); err != nil || string(got) != "old" {
		t.Errorf("the file holds %q, %v", got, err)
	}
	if names, _ := os.ReadDir(filepath.Dir(path)); len(names) != 1 {
		t.Errorf("there are %v", names)
	}
}
