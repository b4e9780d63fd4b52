// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// compareProxy puts a registered API, httputil.ReverseProxy and, where it is
// installed, nginx before the same small backend.
func (b *bench) compareProxy(ctx context.Context, name string) error {
	o, err := b.shared(ctx)
	if err != nil {
		return err
	}
	backend, backendAddress, err := b.startYardstick("-engine", "backend")
	if err != nil {
		return err
	}
	defer backend.stop()
	d := service.Definition{
		Path: "/bench/proxy", Method: service.MethodGet, AuthType: service.AuthNone,
		Registration:      &service.Registration{Host: "http://" + backendAddress, Path: "/row"},
		RequestParameters: map[string]service.RequestParameter{"id": {Type: service.TypeLong, Required: true}},
	}
	if err := o.publish(ctx, "proxy", d, map[string]string{"id": "1"}); err != nil {
		return fmt.Errorf("publishing the API: %w", err)
	}
	yardstick, address, err := b.startYardstick("-engine", "proxy", "-source", "http://"+backendAddress)
	if err != nil {
		return err
	}
	defer yardstick.stop()
	targets := []target{
		{"dataservice", o.gateway, askRow(d.Path), o.server},
		{"httputil.ReverseProxy", address, askRow("/row"), yardstick},
	}
	ratios := []ratio{{name, 0, 1}}
	nginx, address, err := b.startNginx(ctx, backendAddress)
	switch {
	case err != nil:
		return err
	case nginx == nil:
		fmt.Println("\nnginx is not installed, and is left out.")
	default:
		defer nginx.stop()
		// What its workers use is not that of the process that was started.
		targets = append(targets, target{"nginx", address, askRow("/row"), nil})
		ratios = append(ratios, ratio{name + "-nginx", 0, 2})
	}
	if err := sameContent(ctx, targets...); err != nil {
		return err
	}
	return b.measure(ctx, name, targets, ratios...)
}

const nginxConfiguration = `
daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	keepalive_requests 100000000;
	upstream backend { server %[2]s; keepalive 64; keepalive_requests 100000000; }
	server {
		listen %[3]s;
		location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
	}
}
`

// startNginx returns nil where it is not installed.
func (b *bench) startNginx(ctx context.Context, backend string) (*server, string, error) {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		if _, err := os.Stat("/usr/sbin/nginx"); err != nil {
			return nil, "", nil
		}
		binary = "/usr/sbin/nginx"
	}
	address, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	dir := filepath.Join(b.dir, "nginx")
	// Where the bench runs as root, nginx's workers are somebody else and write here.
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, "", err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, nginxConfiguration, dir, backend, address), 0o600); err != nil {
		return nil, "", err
	}
	nginx, err := start(nil, binary, []string{"-p", dir, "-c", file, "-e", "stderr"})
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := get(ctx, "http://"+address+"/row?id=1"); err == nil {
			return nginx, address, nil
		}
		select {
		case <-tick.C:
		case <-nginx.done:
			return nil, "", nginx.failed()
		case <-ctx.Done():
			nginx.stop()
			return nil, "", fmt.Errorf("nginx does not answer: %s", nginx.log)
		}
	}
}
