// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// ours is a running dataservice process.
type ours struct {
	*server
	gateway string
	// control is the address of the control plane, and metrics that of the metrics.
	control, metrics string
	client           *client.Client
	// token is its admin's.
	token string
	// connections has the ids of those made, by engine.
	connections map[string]string
}

// limit is a rate limit that no call meets, so that what it costs is measured and not
// what it refuses.
var limit = &service.RateLimit{Requests: service.MaxRateRequests}

// startOurs starts the service as a user would, on a data directory of that name, with
// everything on that it can have: metrics, and a rate limit in each environment.
func (b *bench) startOurs(ctx context.Context, name string, environment ...string) (*ours, error) {
	o, _, err := b.launch(ctx, "serve", name, nil, environment...)
	if err != nil {
		return nil, err
	}
	return o, o.login(ctx, filepath.Join(b.dir, name))
}

// connect makes a client of the service's admin.
func (o *ours) connect(endpoint, tokenFile string) error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	o.token = strings.TrimSpace(string(token))
	o.client, err = client.New(client.Config{Endpoint: endpoint, Token: o.token, UserAgent: "dataservice-bench", MaxRetries: client.DefaultMaxRetries})
	return err
}

func ready(ctx context.Context, address string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// publish makes an API with rate limits, debugs it and publishes it.
func (o *ours) publish(ctx context.Context, name string, d service.Definition, example map[string]string) error {
	api, err := o.create(ctx, name, d, example)
	if err != nil {
		return err
	}
	publication, err := o.client.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision})
	if err == nil && !publication.Status.Callable() {
		err = fmt.Errorf("the publication of %s is %s", name, publication.Status)
	}
	return err
}

// create makes an API with rate limits, and debugs it.
func (o *ours) create(ctx context.Context, name string, d service.Definition, example map[string]string) (service.API, error) {
	d.RateLimit, d.CallerRateLimit = limit, limit
	return o.client.CreateAPI(ctx, service.APIInput{
		APISpec: service.APISpec{Name: name, Definition: d}, Debug: &service.DebugInput{Parameters: example},
	})
}

// freeAddress returns an address of the loopback that nothing listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
