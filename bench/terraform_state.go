// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// stateBackend keeps one state in memory for Terraform's backend "http".
type stateBackend struct {
	address string
	server  *http.Server
	mu      sync.Mutex
	data    []byte
}

func newStateBackend() (*stateBackend, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stateBackend{address: "http://" + l.Addr().String() + "/state"}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(l) }() // ends when it is closed
	return s, nil
}

func (s *stateBackend) close() { _ = s.server.Close() }

// current is the state; nil where there is none.
func (s *stateBackend) current() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.data)
}

// ServeHTTP answers the three requests of the backend.
func (s *stateBackend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var written []byte
	if r.Method == http.MethodPost {
		var err error
		if written, err = io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
		if s.data == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = w.Write(s.data) // a client that is gone asks again
	case http.MethodPost, http.MethodDelete:
		s.data = written
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}
