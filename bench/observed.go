// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// scrapeEvery is how often metrics are scraped: more often than Prometheus does by default.
const scrapeEvery = 2 * time.Second

// compareObserved compares a service that is watched in every way there is, with metrics that
// are scraped, traces of one call in a hundred and a line in the access log for each, with
// the same service that nobody watches. Only the calls of one row are measured, where
// watching weighs most.
func (b *bench) compareObserved(ctx context.Context, name string) error {
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	var received atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		received.Add(n)
	}))
	defer collector.Close()
	access := filepath.Join(b.dir, name+"-access.log")
	path := "/bench/row"
	var targets []target
	for _, side := range []struct {
		name  string
		flags []string
	}{
		{"watched", []string{"--trace-endpoint", collector.URL, "--trace-sample", "0.01", "--access-log", access}},
		{"not watched", nil},
	} {
		data := name + "-" + strings.ReplaceAll(side.name, " ", "-")
		o, _, err := b.launch(ctx, "serve", data, side.flags)
		if err != nil {
			return err
		}
		defer o.stop()
		if err := o.login(ctx, filepath.Join(b.dir, data)); err != nil {
			return err
		}
		connectionID, err := o.connection(ctx, "sqlite", dsn)
		if err != nil {
			return err
		}
		d := rowDefinition(connectionID)
		d.Path = path
		if err := o.publish(ctx, "one_row", d, map[string]string{"id": "1"}); err != nil {
			return err
		}
		if side.flags != nil {
			defer scrape(ctx, o.metrics)()
		}
		targets = append(targets, target{side.name, o.gateway, askRow(path), o.server})
	}
	if err := sameContent(ctx, targets...); err != nil {
		return err
	}
	if err := b.measure(ctx, name, targets, ratio{name, 0, 1}); err != nil {
		return err
	}
	file, err := os.Stat(access)
	if err != nil {
		return err
	}
	if file.Size() == 0 || received.Load() == 0 {
		return fmt.Errorf("the access log has %d bytes, and the collector got %d: nothing was watched", file.Size(), received.Load())
	}
	fmt.Printf("  the access log has %d MB, and the collector got %d kB\n", file.Size()>>20, received.Load()>>10)
	return nil
}

// scrape scrapes the metrics every now and then until stop is called.
func scrape(ctx context.Context, address string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(scrapeEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_, _ = get(ctx, "http://"+address+"/metrics") // the next one may succeed
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
