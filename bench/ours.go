// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// sqliteFile is where our service finds the SQLite database, below its --sqlite-dir.
const sqliteFile = "items.db"

// ours is a running dataservice process.
type ours struct {
	*server
	gateway string
	client  *client.Client
}

// startOurs starts the service as a user would, on an empty data directory.
func startOurs(ctx context.Context, binary, dir, sqliteDir string) (*ours, error) {
	control, err := freeAddress()
	if err != nil {
		return nil, err
	}
	gateway, err := freeAddress()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	process, err := start(nil, binary, "serve", "--data-dir", data, "--sqlite-dir", sqliteDir, "--listen", control, "--gateway-listen", gateway)
	if err != nil {
		return nil, err
	}
	o := &ours{server: process, gateway: gateway}
	if err := o.connect(ctx, "http://"+control, filepath.Join(data, "admin.token")); err != nil {
		process.stop()
		return nil, fmt.Errorf("%w\n%s", err, process.log)
	}
	return o, nil
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
	o.client, err = client.New(client.Config{Endpoint: endpoint, Token: strings.TrimSpace(string(token)), UserAgent: "dataservice-bench"})
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

// publish makes the connection and the API that reads one row, debugs it, publishes
// it, and returns its path.
func (o *ours) publish(ctx context.Context, name string, connection service.ConnectionInput) (string, error) {
	noReview := false
	if _, err := o.client.UpdateEnvironment(ctx, service.ReleaseEnvironmentID, service.EnvironmentInput{
		Name: service.ReleaseEnvironmentName, ReviewRequired: &noReview,
	}); err != nil {
		return "", err
	}
	connection.Name = "bench_" + name
	conn, err := o.client.CreateConnection(ctx, connection)
	if err != nil {
		return "", err
	}
	path := "/bench/" + name
	api, err := o.client.CreateAPI(ctx, service.APIInput{
		APISpec: service.APISpec{Name: "bench_" + name, Definition: service.Definition{
			Path: path, Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: conn.ID,
			Script:            &service.Script{SQL: "SELECT " + strings.Join(columns, ", ") + " FROM items WHERE id = ${id}"},
			RequestParameters: map[string]service.RequestParameter{"id": {Type: service.TypeLong, Required: true}},
			ResponseParameters: map[string]service.ResponseParameter{
				"id": {Type: service.TypeLong}, "name": {Type: service.TypeString}, "category": {Type: service.TypeString},
				"description": {Type: service.TypeString}, "price": {Type: service.TypeDouble},
				"quantity": {Type: service.TypeInt}, "active": {Type: service.TypeBoolean},
			},
		}},
		Debug: &service.DebugInput{Parameters: map[string]string{"id": "1"}},
	})
	if err != nil {
		return "", err
	}
	publication, err := o.client.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision})
	if err != nil {
		return "", err
	}
	if !publication.Status.Callable() {
		return "", fmt.Errorf("the publication of %s is %s", name, publication.Status)
	}
	return path, nil
}

// postgresConnection writes a PostgreSQL URL as a connection.
func postgresConnection(dsn string) (service.ConnectionInput, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return service.ConnectionInput{}, err
	}
	in := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{
		Engine: service.EnginePostgreSQL, Host: u.Hostname(), Port: 5432, Database: strings.TrimPrefix(u.Path, "/"),
		Username: u.User.Username(), SSLMode: service.SSLMode(u.Query().Get("sslmode")),
		// Development servers are usually reached as their superuser.
		AllowSuperuser: true,
	}}
	if u.Port() != "" {
		if in.Port, err = strconv.Atoi(u.Port()); err != nil {
			return in, err
		}
	}
	if password, ok := u.User.Password(); ok {
		in.Password = &password
	}
	return in, nil
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
