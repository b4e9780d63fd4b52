// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command backend is a backend to register: it answers with what it was asked, as JSON.
//
//	go run ./examples/registration/backend 127.0.0.1:9090
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: backend ADDRESS\n\nAnswers each HTTP request with what it was asked.")
		os.Exit(2)
	}
	if err := serve(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "backend: %v\n", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, address string) error {
	var c net.ListenConfig
	listener, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: http.HandlerFunc(answer), ReadHeaderTimeout: 5 * time.Second}
	return server.Serve(listener)
}

// question is what the backend was asked.
type question struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Query  map[string]string `json:"query"`
	// Headers has the names in lower case.
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// maxBody bounds what is read of a body.
const maxBody = 1 << 20

func answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "The body cannot be read.", http.StatusBadRequest)
		return
	}
	q := question{Method: r.Method, Path: r.URL.Path, Query: map[string]string{}, Headers: map[string]string{}, Body: string(body)}
	for name := range r.URL.Query() {
		q.Query[name] = r.URL.Query().Get(name)
	}
	for name := range r.Header {
		q.Headers[strings.ToLower(name)] = r.Header.Get(name)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(q); err != nil {
		fmt.Fprintf(os.Stderr, "backend: %v\n", err)
	}
}
