// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
)

// serveCommand is the configuration of a service.
type serveCommand struct {
	DataDir         string `help:"Directory for the store, the encryption key and the admin token; made where it is missing." default:"./dataservice-data" env:"DATASERVICE_DATA_DIR"`
	Listen          string `help:"Address of the control plane. Port 0 takes a free one; DATA_DIR/endpoints.json tells which." default:"127.0.0.1:8080" env:"DATASERVICE_LISTEN"`
	GatewayListen   string `help:"Address of the gateway, where published APIs are called." default:"127.0.0.1:8081" env:"DATASERVICE_GATEWAY_LISTEN"`
	Store           string `help:"Where records are kept: \"sqlite\" in the data directory, or a postgres:// URL." default:"sqlite" env:"DATASERVICE_STORE"`
	SQLiteDir       string `name:"sqlite-dir" help:"Directory that SQLite connections may open files in; DATA_DIR/databases where absent." env:"DATASERVICE_SQLITE_DIR" placeholder:"DIR"`
	SQLiteMmapBytes int64  `name:"sqlite-mmap-bytes" help:"How much of each SQLite file is read through memory that it is mapped to, in bytes; worth it for files that are larger than 8 MB. 0 maps nothing." default:"0" env:"DATASERVICE_SQLITE_MMAP_BYTES"`
	// AllowBackendCIDR is read into backendRanges.
	AllowBackendCIDR []string `name:"allow-backend-cidr" help:"Range of addresses that backends of registered APIs, and webhooks of apps, may have besides those of the public internet, such as 10.0.0.0/8 or 127.0.0.1; several with commas." env:"DATASERVICE_ALLOW_BACKEND_CIDR" placeholder:"CIDR"`
	// AllowConnectionCIDR is read into connectionRanges.
	AllowConnectionCIDR []string `name:"allow-connection-cidr" help:"Range of addresses, such as 10.0.0.0/8, that PostgreSQL and MySQL connections may lead to; several with commas. All but link-local, metadata and multicast addresses where absent." env:"DATASERVICE_ALLOW_CONNECTION_CIDR" placeholder:"CIDR"`
	TLSCert             string   `name:"tls-cert" help:"PEM file with the control plane's certificate and its chain." env:"DATASERVICE_TLS_CERT" placeholder:"FILE"`
	TLSKey              string   `name:"tls-key" help:"PEM file with the certificate's private key." env:"DATASERVICE_TLS_KEY" placeholder:"FILE"`
	InsecureHTTP        bool     `name:"insecure-http" help:"Permit plain HTTP on addresses other than loopback, for both listeners." env:"DATASERVICE_INSECURE_HTTP"`
	PublicURL           string   `name:"public-url" help:"Base URL at which people reach the control plane, for links to reviews; that of --listen where absent." env:"DATASERVICE_PUBLIC_URL" placeholder:"URL"`
	GatewayURL          string   `name:"gateway-url" help:"Base URL at which published APIs are called; that of --gateway-listen where absent." env:"DATASERVICE_GATEWAY_URL" placeholder:"URL"`

	GatewayTLSListen  string   `name:"gateway-tls-listen" help:"Address of the gateway for calls over HTTPS; used where --gateway-tls-cert and --gateway-tls-key are given." default:"127.0.0.1:8443" env:"DATASERVICE_GATEWAY_TLS_LISTEN"`
	GatewayTLSCert    string   `name:"gateway-tls-cert" help:"PEM file with the gateway's certificate and its chain." env:"DATASERVICE_GATEWAY_TLS_CERT" placeholder:"FILE"`
	GatewayTLSKey     string   `name:"gateway-tls-key" help:"PEM file with the private key of the gateway's certificate." env:"DATASERVICE_GATEWAY_TLS_KEY" placeholder:"FILE"`
	GatewayTLSURL     string   `name:"gateway-tls-url" help:"Base URL at which APIs are called that permit HTTPS alone; that of --gateway-tls-listen where absent." env:"DATASERVICE_GATEWAY_TLS_URL" placeholder:"URL"`
	TrustedProxy      []string `help:"Networks, such as 10.0.0.0/8, of proxies in front of the gateway: their X-Forwarded-Proto and X-Forwarded-For are believed." env:"DATASERVICE_TRUSTED_PROXY" placeholder:"CIDR"`
	GatewayMaxCalls   int      `help:"The most calls that the gateway answers at once; others are told Throttling.System. 0 sets no bound." default:"10000" env:"DATASERVICE_GATEWAY_MAX_CALLS"`
	GatewayCacheBytes int64    `help:"The most memory that cached answers take, in bytes. 0 caches nothing." default:"67108864" env:"DATASERVICE_GATEWAY_CACHE_BYTES"`
	MetricsListen     string   `help:"Address at which metrics can be scraped, at the path /metrics, without a token; such as 127.0.0.1:9464. Absent: nowhere." env:"DATASERVICE_METRICS_LISTEN" placeholder:"HOST:PORT"`

	LogLevel string `help:"What is logged: debug, info, warn or error." default:"info" enum:"debug,info,warn,error" env:"DATASERVICE_LOG_LEVEL"`

	backendRanges, connectionRanges, proxyRanges []netip.Prefix
}

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context, s streams) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	defer relaxGC()()
	return serve(ctx, c, newLogger(s.err, level))
}

// check finds what cannot work before anything is touched.
func (c *serveCommand) check() (err error) {
	if c.DataDir == "" {
		return failed(nil, "--data-dir is empty: name a directory.")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return failed(nil, "--tls-cert and --tls-key belong together: give both, or none for plain HTTP.")
	}
	if c.backendRanges, err = dialguard.ParseRanges(c.AllowBackendCIDR); err != nil {
		return failed(nil, "--allow-backend-cidr: %s.", err)
	}
	if c.connectionRanges, err = dialguard.ParseRanges(c.AllowConnectionCIDR); err != nil {
		return failed(nil, "--allow-connection-cidr: %s.", err)
	}
	if (c.GatewayTLSCert == "") != (c.GatewayTLSKey == "") {
		return failed(nil, "--gateway-tls-cert and --gateway-tls-key belong together: give both, or none for a gateway without HTTPS.")
	}
	for _, base := range []struct {
		flag string
		text *string
	}{{"--public-url", &c.PublicURL}, {"--gateway-url", &c.GatewayURL}, {"--gateway-tls-url", &c.GatewayTLSURL}} {
		if *base.text == "" {
			continue
		}
		if *base.text, err = checkURL(base.flag, *base.text); err != nil {
			return err
		}
	}
	if c.GatewayTLSURL != "" && !strings.HasPrefix(c.GatewayTLSURL, "https://") {
		return failed(nil, "--gateway-tls-url=%s does not begin with https://.", c.GatewayTLSURL)
	}
	if c.proxyRanges, err = dialguard.ParseRanges(c.TrustedProxy); err != nil {
		return failed(nil, "--trusted-proxy: %s.", err)
	}
	if c.GatewayMaxCalls < 0 {
		return failed(nil, "--gateway-max-calls=%d is no number of calls: use one from 1 on, or 0 for no bound.", c.GatewayMaxCalls)
	}
	if c.SQLiteMmapBytes < 0 {
		return failed(nil, "--sqlite-mmap-bytes=%d is no number of bytes: use one from 1 on, or 0 to map nothing.", c.SQLiteMmapBytes)
	}
	if c.GatewayCacheBytes < 0 {
		return failed(nil, "--gateway-cache-bytes=%d is no number of bytes: use one from 1 on, or 0 to cache nothing.", c.GatewayCacheBytes)
	}
	if c.Store != "sqlite" && !c.onPostgreSQL() {
		// The value may hold a password, so it is not repeated.
		return failed(nil, `--store is neither "sqlite" nor a postgres:// URL.`)
	}
	return nil
}

func (c serveCommand) onPostgreSQL() bool {
	return strings.HasPrefix(c.Store, "postgres://") || strings.HasPrefix(c.Store, "postgresql://")
}

// dsn names the store to sqlstore.
func (c serveCommand) dsn(dir *dataDir) string {
	if c.onPostgreSQL() {
		return c.Store
	}
	return "sqlite:" + dir.file(storeFile)
}

// storeName names the store to a person, without a password.
func (c serveCommand) storeName(dir *dataDir) string {
	if !c.onPostgreSQL() {
		return dir.file(storeFile)
	}
	u, err := url.Parse(c.Store)
	if err != nil {
		return "of --store"
	}
	return u.Host + u.Path
}

// sqliteDir returns the directory that SQLite connections may read from, and makes it.
func (c serveCommand) sqliteDir(dir *dataDir) (string, error) {
	path := c.SQLiteDir
	if path == "" {
		path = dir.file(databasesDir)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(absolute, 0o750); err != nil {
		return "", failed(err, "Cannot make the directory %s for SQLite databases: %s. Choose another with --sqlite-dir.", absolute, root(err))
	}
	return absolute, nil
}

// gatewayOptions are those that the command line sets.
func (c serveCommand) gatewayOptions() gateway.Options {
	o := gateway.Options{MaxCalls: c.GatewayMaxCalls, CacheBytes: c.GatewayCacheBytes, TrustedProxies: c.proxyRanges}
	if c.GatewayCacheBytes == 0 {
		o.CacheBytes = gateway.NoCache
	}
	return o
}

// tlsConfigs returns those of the control plane and of the gateway; nil where there is
// no certificate.
func (c serveCommand) tlsConfigs() (control, public *tls.Config, err error) {
	if control, err = tlsConfig("--tls", c.TLSCert, c.TLSKey); err != nil {
		return nil, nil, err
	}
	public, err = tlsConfig("--gateway-tls", c.GatewayTLSCert, c.GatewayTLSKey)
	return control, public, err
}

// tlsConfig returns nil where there is no certificate.
func tlsConfig(flag, certFile, keyFile string) (*tls.Config, error) {
	if certFile == "" {
		return nil, nil //nolint:nilnil // no TLS, no error.
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, failed(err, "Cannot use the certificate %s (%s-cert) with the key %s (%s-key): %s.", certFile, flag, keyFile, flag, root(err))
	}
	return &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}
