// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// archive packs what the archive is to hold for one platform. The bytes depend on nothing but
// the files, their names and the commit: neither on the machine's time zone and umask nor on
// the order in which a folder lists its files.
func (b *builder) archive(a archiveConfig, binaries map[string]string, v values) error {
	var entries []entry
	for _, f := range a.Files {
		e, err := newEntry(filepath.Join(b.clone, f.Src), f.Src, f.Info, v)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	held := false
	for _, id := range a.IDs {
		if _, err := b.config.program(id); err != nil {
			return err
		}
		if file := binaries[id]; file != "" {
			e, err := newEntry(file, filepath.Base(file), a.BuildsInfo, v)
			if err != nil {
				return err
			}
			entries, held = append(entries, e), true
		}
	}
	if !held {
		return nil
	}
	name, err := v.expand(a.NameTemplate)
	if err != nil {
		return err
	}
	name += ".zip"
	var packed bytes.Buffer
	if err := pack(&packed, entries); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.made = append(b.made, name)
	return os.WriteFile(filepath.Join(b.folder, name), packed.Bytes(), 0o644) //nolint:gosec // a release is public
}

// entry is a file of an archive.
type entry struct {
	file, name string
	at         time.Time
	mode       os.FileMode
}

func newEntry(file, name string, info fileInfo, v values) (entry, error) {
	at, err := v.expand(info.MTime)
	if err != nil {
		return entry{}, err
	}
	e := entry{file: file, name: filepath.ToSlash(name), mode: info.Mode}
	if e.at, err = time.Parse(time.RFC3339, at); err != nil || e.mode == 0 {
		return entry{}, fmt.Errorf(".goreleaser.yml: %s needs mtime and mode, or it would be packed with those of the machine: %w", name, err)
	}
	return e, nil
}

func pack(to io.Writer, entries []entry) error {
	z := zip.NewWriter(to)
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	for _, e := range entries {
		if err := e.add(z); err != nil {
			return err
		}
	}
	return z.Close()
}

func (e entry) add(z *zip.Writer) error {
	data, err := os.ReadFile(e.file)
	if err != nil {
		return err
	}
	header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: e.at, UncompressedSize64: uint64(len(data))}
	header.SetMode(e.mode)
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// checksums copies the files that are released as they are, and writes the checksums of all.
func (b *builder) checksums(v values) (string, error) {
	for _, f := range b.config.Checksum.ExtraFiles {
		name, err := v.expand(f.NameTemplate)
		if err != nil {
			return "", err
		}
		data, err := os.ReadFile(filepath.Join(b.clone, f.Glob))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(b.folder, name), data, 0o644); err != nil { //nolint:gosec // a release is public
			return "", err
		}
		b.made = append(b.made, name)
	}
	slices.Sort(b.made)
	var lines strings.Builder
	for _, name := range b.made {
		data, err := os.ReadFile(filepath.Join(b.folder, name))
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(data)
		fmt.Fprintf(&lines, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	}
	name, err := v.expand(b.config.Checksum.NameTemplate)
	if err != nil {
		return "", err
	}
	return lines.String(), os.WriteFile(filepath.Join(b.folder, name), []byte(lines.String()), 0o644) //nolint:gosec // as above
}
