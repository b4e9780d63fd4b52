// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// ours is a running dataservice process.
type ours struct {
	*server
	gateway string
	client  *client.Client
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
	var addresses [3]string
	for i := range addresses {
		var err error
		if addresses[i], err = freeAddress(); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(b.dir, name)
	process, err := start(nil, b.service, []string{
		"serve", "--data-dir", data, "--sqlite-dir", b.databases,
		"--listen", addresses[0], "--gateway-listen", addresses[1], "--metrics-listen", addresses[2],
		"--allow-backend-cidr", "127.0.0.0/8",
	}, environment...)
	if err != nil {
		return nil, err
	}
	b.later(process.stop)
	o := &ours{server: process, gateway: addresses[1], connections: map[string]string{}}
	if err := o.connect(ctx, "http://"+addresses[0], filepath.Join(data, "admin.token")); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, process.log)
	}
	noReview := false
	_, err = o.client.UpdateEnvironment(ctx, service.ReleaseEnvironmentID, service.EnvironmentInput{
		Name: service.ReleaseEnvironmentName, ReviewRequired: &noReview, RateLimit: limit,
	})
	return o, err
}

// connect waits until the service is ready, and logs in as its admin.
func (o *ours) connect(ctx context.Context, endpoint, tokenFile string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ready(ctx, endpoint+"/readyz") {
		select {
		case <-tick.C:
		case <-o.done:
			return o.failed()
		case <-ctx.Done():
			return errors.New("dataservice is not ready after 30 s")
		}
	}
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
