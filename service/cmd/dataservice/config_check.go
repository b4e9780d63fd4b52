// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// oddities are what is odd about settings that can be used: what the program says at its start.
func (s *settings) oddities() (found findings) {
	for _, c := range s.certificates() {
		if says, _ := untimely(c.pair, c.file, time.Now()); says != "" {
			found.oddity(c.flag, "%s", says)
		}
	}
	return append(found, s.unused()...)
}

// unused are settings that say nothing without others.
func (s *settings) unused() (found findings) {
	if s.gatewayFlags().GatewayTLSCert == "" && s.sources["gateway-tls-listen"] != fromDefault {
		found.oddity("gateway-tls-listen", "--gateway-tls-listen is not used: there is no --gateway-tls-cert.")
	}
	return found
}

// namedCertificate is one with the flag and the file that it comes from.
type namedCertificate struct {
	pair       *tls.Certificate
	flag, file string
}

func (s *settings) certificates() (list []namedCertificate) {
	f := s.gatewayFlags()
	if f.gatewayCertificate != nil {
		list = append(list, namedCertificate{f.gatewayCertificate, "gateway-tls-cert", f.GatewayTLSCert})
	}
	if c := s.line.Serve.certificate; c != nil {
		list = append(list, namedCertificate{c, "tls-cert", s.line.Serve.TLSCert})
	}
	return list
}

// examine looks at what the settings name, as the start would do later on, and changes nothing.
func (s *settings) examine() (found findings) {
	for _, c := range s.certificates() {
		if says, over := untimely(c.pair, c.file, time.Now()); over {
			found.fault(c.flag, errors.New(says))
		} else if says != "" {
			found.oddity(c.flag, "%s", says)
		}
	}
	found = append(found, s.unused()...)
	s.examineDoors(&found)
	s.examineFiles(&found)
	s.examineStore(&found)
	return found
}

// examineDoors looks at the addresses. Whether they are free is not asked: the service that
// they belong to may be running.
func (s *settings) examineDoors(found *findings) {
	f, d := s.gatewayFlags(), &doors{}
	if f.gatewayCertificate != nil {
		d.secure.tls = newCertificate(f.gatewayCertificate).config()
	}
	wanted := f.wanted(d)
	if s.context.Selected().Name == "serve" {
		wanted = append(wanted, s.line.Serve.wantedControl(d, s.line.Serve.certificate != nil))
	}
	taken := map[string]string{}
	for _, w := range wanted {
		if !w.asked {
			continue
		}
		flag := w.flag[len("--"):]
		address, err := w.check(f.InsecureHTTP)
		if err != nil {
			found.fault(flag, err)
			continue
		}
		if other := taken[address.String()]; other != "" && address.Port != 0 {
			found.fault(flag, failed(nil, "--%s and --%s are the same address, %s: choose another port.", flag, other, address))
		}
		taken[address.String()] = flag
	}
}

// examineFiles looks at the key and the directories.
func (s *settings) examineFiles(found *findings) {
	f := s.gatewayFlags()
	key, flag := f.EncryptionKey, "encryption-key-file"
	if key == "" {
		key, flag = filepath.Join(f.DataDir, keyFile), "data-dir"
	}
	_, err := readKeys(key)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && f.EncryptionKey == "" && s.context.Selected().Name == "serve": // the first start makes it
	case missing && f.EncryptionKey == "":
		found.fault(flag, failed(err, "%s is missing: copy it from the data directory of the service that made the store, or name it with --encryption-key-file.", key))
	default:
		found.fault(flag, err)
	}
	for flag, path := range map[string]string{"data-dir": f.DataDir, "sqlite-dir": f.SQLiteDir} {
		if info, err := os.Stat(path); path != "" && err == nil && !info.IsDir() {
			found.fault(flag, failed(nil, "--%s=%s is no directory.", flag, path))
		}
	}
}

// examineStore looks at the URL of a store, and does not connect.
func (s *settings) examineStore(found *findings) {
	flag, store := "store", s.line.Serve.Store
	if s.context.Selected().Name == "gateway" {
		store = s.line.Gateway.Store
	}
	if s.gatewayFlags().StoreFile != "" {
		flag = "store-file"
	}
	if !onPostgreSQL(store) {
		return
	}
	// What is wrong may be next to a password, so it is not repeated.
	if _, err := pgx.ParseConfig(store); err != nil {
		found.fault(flag, failed(err, "--%s has no URL of a PostgreSQL database that can be read: it is postgres://USER:PASSWORD@HOST:PORT/DATABASE, special characters of the password as %%XX.", flag))
	}
}

// checkConfig finds everything that is wrong with the settings that the arguments name.
func checkConfig(args []string) (*settings, problems, error) {
	s, exited, err := parse(args, io.Discard, io.Discard)
	if exited >= 0 {
		return nil, nil, errors.New("it is asked for help")
	}
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return nil, nil, usage
	}
	if err != nil {
		return s, asProblems(err), nil
	}
	found := s.place(s.findings())
	if len(found.faults()) == 0 {
		found = append(found, s.place(s.examine())...)
	}
	return s, append(found, s.fileWarnings()...), nil
}

// summary is the last word of a check.
func summary(found problems) string {
	if n := len(found.faults()); n != 1 {
		return fmt.Sprintf("there are %d problems", n)
	}
	return "there is a problem"
}
