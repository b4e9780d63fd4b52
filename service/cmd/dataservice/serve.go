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
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/console"
)

// serveCommand is the configuration of a service.
type serveCommand struct {
	Store         string `help:"Where records are kept: \"sqlite\" in the data directory, or a postgres:// URL." default:"sqlite" env:"DATASERVICE_STORE" secret:"url"`
	Listen        string `help:"Address of the control plane. Port 0 takes a free one; DATA_DIR/endpoints.json tells which." default:"127.0.0.1:8080" env:"DATASERVICE_LISTEN"`
	TLSCert       string `name:"tls-cert" help:"PEM file with the control plane's certificate and its chain." env:"DATASERVICE_TLS_CERT" reload:"value" placeholder:"FILE"`
	TLSKey        string `name:"tls-key" help:"PEM file with the certificate's private key." env:"DATASERVICE_TLS_KEY" reload:"value" placeholder:"FILE"`
	PublicURL     string `name:"public-url" help:"Base URL at which people reach the control plane, for links to reviews; that of --listen where absent." env:"DATASERVICE_PUBLIC_URL" placeholder:"URL"`
	GatewayURL    string `name:"gateway-url" help:"Base URL at which published APIs are called; that of --gateway-listen where absent." env:"DATASERVICE_GATEWAY_URL" placeholder:"URL"`
	GatewayTLSURL string `name:"gateway-tls-url" help:"Base URL at which APIs are called that permit HTTPS alone; that of --gateway-tls-listen where absent." env:"DATASERVICE_GATEWAY_TLS_URL" placeholder:"URL"`

	MaxConns int `name:"max-connections" help:"The most connections of clients to the control plane. Beyond, the one that is idle for longest is closed, or a new one refused where none is idle." default:"4000" env:"DATASERVICE_MAX_CONNECTIONS" reload:"value"`
	MaxCalls int `help:"The most calls that the control plane answers at once. As many again wait for their turn for a second; others are told OVERLOADED." default:"256" env:"DATASERVICE_MAX_CALLS" reload:"value"`
	MaxPolls int `help:"The same for calls that ask to wait for something (wait=)." default:"1000" env:"DATASERVICE_MAX_POLLS" reload:"value"`

	OIDCIssuer       string   `name:"oidc-issuer" help:"Issuer of an OpenID Connect provider at which people sign in to the console, besides with tokens; /console/sign-in/oidc/callback of --public-url is where it sends them back to." env:"DATASERVICE_OIDC_ISSUER" placeholder:"URL"`
	OIDCClientID     string   `name:"oidc-client-id" help:"Id of the console at that provider." env:"DATASERVICE_OIDC_CLIENT_ID" placeholder:"ID"`
	OIDCClientSecret string   `name:"oidc-client-secret-file" help:"File with the console's secret at that provider." env:"DATASERVICE_OIDC_CLIENT_SECRET_FILE" placeholder:"FILE"`
	OIDCGroupRole    []string `name:"oidc-group-role" help:"What the members of a group of that provider are in the workspace default: GROUP=ROLE, or GROUP=ROLE+reviewer; several with commas. Who is in none of the groups is not let in." env:"DATASERVICE_OIDC_GROUP_ROLE" placeholder:"GROUP=ROLE"`

	gatewayFlags

	// provider is what the flags of OIDC say; nil for none.
	provider *console.OIDC
	// certificate is that of the control plane; nil for none.
	certificate *tls.Certificate
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, out streams, s *settings) error {
	if err := s.check(); err != nil {
		return err
	}
	defer relaxGC()()
	level := &slog.LevelVar{}
	level.Set(c.level)
	logger := newLogger(out.err, level, c.LogFormat)
	s.warn(logger)
	return serve(ctx, *c, newReloading(s, level, logger), logger)
}

// check finds what cannot work before anything is touched, and reads what the flags name.
func (c *serveCommand) check() findings {
	found := c.gatewayFlags.check()
	for _, bound := range []struct {
		flag, of string
		value    int
	}{{"max-connections", "connections", c.MaxConns}, {"max-calls", "calls", c.MaxCalls}, {"max-polls", "calls", c.MaxPolls}} {
		if bound.value < 1 {
			found.fault(bound.flag, failed(nil, "--%s=%d is no number of %s: use one from 1 on.", bound.flag, bound.value, bound.of))
		}
	}
	c.certificate = found.certificate("tls", c.TLSCert, c.TLSKey, "plain HTTP")
	for _, base := range []struct {
		flag string
		text *string
	}{{"public-url", &c.PublicURL}, {"gateway-url", &c.GatewayURL}, {"gateway-tls-url", &c.GatewayTLSURL}} {
		if *base.text == "" {
			continue
		}
		checked, err := checkURL("--"+base.flag, *base.text)
		if *base.text = or(checked, *base.text); err != nil {
			found.fault(base.flag, err)
		} else if base.text == &c.GatewayTLSURL && !strings.HasPrefix(c.GatewayTLSURL, "https://") {
			found.fault(base.flag, failed(nil, "--gateway-tls-url=%s does not begin with https://.", c.GatewayTLSURL))
		}
	}
	found.fault("oidc-issuer", c.checkProvider())
	c.Store = c.storeURL(c.Store, "sqlite", &found)
	if c.Store != "sqlite" && !onPostgreSQL(c.Store) && c.StoreFile == "" {
		// The value may hold a password, so it is not repeated.
		found.fault("store", failed(nil, `--store is neither "sqlite" nor a postgres:// URL.`))
	}
	return found
}

// checkProvider reads the flags of the identity provider. The provider itself is asked when
// somebody signs in.
func (c *serveCommand) checkProvider() error {
	if c.OIDCIssuer == "" {
		if c.OIDCClientID != "" || c.OIDCClientSecret != "" || len(c.OIDCGroupRole) > 0 {
			return failed(nil, "--oidc-client-id, --oidc-client-secret-file and --oidc-group-role say how people sign in at --oidc-issuer, which is missing.")
		}
		return nil
	}
	issuer, err := url.Parse(c.OIDCIssuer)
	if err != nil || issuer.Host == "" || issuer.Scheme != "https" && issuer.Scheme != "http" {
		return failed(err, "--oidc-issuer=%s is not the address of an issuer: use https:// and a host.", c.OIDCIssuer)
	}
	if host := issuer.Hostname(); issuer.Scheme == "http" && !loopback(host) && !c.InsecureHTTP {
		return failed(nil, "--oidc-issuer=%s is reached over plain HTTP, over which anybody between can sign in as anybody: use https://.", c.OIDCIssuer)
	}
	if c.OIDCClientID == "" || c.OIDCClientSecret == "" || len(c.OIDCGroupRole) == 0 {
		return failed(nil, "--oidc-issuer needs --oidc-client-id, --oidc-client-secret-file and --oidc-group-role.")
	}
	secret, err := os.ReadFile(c.OIDCClientSecret)
	if err != nil {
		return failed(err, "Cannot read --oidc-client-secret-file: %s.", oneLine(err))
	}
	provider := &console.OIDC{Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: service.Secret(strings.TrimSpace(string(secret))), Groups: map[string]console.GroupRole{}}
	if provider.ClientSecret == "" {
		return failed(nil, "--oidc-client-secret-file=%s is empty: write the secret that the provider gave the console into it.", c.OIDCClientSecret)
	}
	for _, text := range c.OIDCGroupRole {
		group, role, err := console.ParseGroupRole(text)
		if err != nil {
			return failed(err, "--oidc-group-role: %s.", err)
		}
		if _, twice := provider.Groups[group]; twice {
			return failed(nil, "--oidc-group-role names the group %s twice: say once what it is.", group)
		}
		provider.Groups[group] = role
	}
	c.provider = provider
	return nil
}

// loopback reports whether the host is this machine.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func onPostgreSQL(store string) bool {
	return strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://")
}

// dsn names the store to sqlstore.
func (c serveCommand) dsn(dir *dataDir) string {
	if onPostgreSQL(c.Store) {
		return c.Store
	}
	return "sqlite:" + dir.file(storeFile)
}

// storeName names the store to a person, without a password.
func (c serveCommand) storeName(dir *dataDir) string {
	if !onPostgreSQL(c.Store) {
		return dir.file(storeFile)
	}
	return databaseName(c.Store)
}

// databaseName names the database of a URL without its password.
func databaseName(store string) string {
	u, err := url.Parse(store)
	if err != nil {
		return "of --store"
	}
	return u.Host + u.Path
}
