// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// readyCommand asks a process on this machine whether it is ready.
type readyCommand struct {
	DataDir string        `help:"Data directory of the service or gateway." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
	Timeout time.Duration `help:"How long to wait until it is." default:"0s" placeholder:"DURATION"`
}

const (
	// askAgain is how often it is asked.
	askAgain = 200 * time.Millisecond
	// answersWithin is how long one answer may take.
	answersWithin = 5 * time.Second
)

// Run prints what the process answers, and fails where it is not ready.
func (c readyCommand) Run(ctx context.Context, s streams) error {
	deadline := time.NewTimer(c.Timeout)
	defer deadline.Stop()
	again := time.NewTicker(askAgain)
	defer again.Stop()
	for {
		answer, err := c.ask(ctx)
		if err == nil {
			fmt.Fprint(s.out, answer)
			return nil
		}
		select {
		case <-deadline.C:
			return err
		case <-ctx.Done():
			return err
		default:
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return err
		case <-ctx.Done():
			return err
		}
	}
}

// ask asks once.
func (c readyCommand) ask(ctx context.Context) (answer string, err error) {
	name := filepath.Join(c.DataDir, endpointsFile)
	data, err := os.ReadFile(name)
	if err != nil {
		return "", failed(err, "Nothing runs with the data directory %s, or it has just begun: %s.", c.DataDir, oneLine(err))
	}
	var e endpoints
	if err := json.Unmarshal(data, &e); err != nil {
		return "", failed(err, "%s is not what a service writes: %s.", name, oneLine(err))
	}
	base := or(e.ControlPlane, e.Metrics)
	if base == "" {
		return "", failed(nil, "The gateway of %s has no address for probes: start it with --metrics-listen.", c.DataDir)
	}
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return "", err
	}
	// The certificate is for the name that clients call, which is not that of this machine; nothing
	// is told to whoever answers.
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // as above
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", failed(err, "%s/readyz does not answer: %s.", base, root(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", failed(nil, "It is not ready: %s.", strings.TrimSuffix(strings.Join(strings.Fields(string(body)), " "), "."))
	}
	return string(body), nil
}
