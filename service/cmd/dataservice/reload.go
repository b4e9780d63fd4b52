// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/reload"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

// checkKeysWithin is how long the store may take to tell whether it can go on with other keys.
const checkKeysWithin = 10 * time.Second

// reloadPart is a part of the process that takes on new settings.
type reloadPart = reload.Part[*settings]

// reloading has the process read its settings again whenever it gets SIGHUP.
type reloading struct {
	settings *settings
	logger   *slog.Logger
	list     []reloadPart
	parts    *reload.Parts[*settings]
	hangups  chan os.Signal
	files    []reopener
}

// reopener is of a file that others may have moved away.
type reopener struct {
	name   string
	reopen func() error
}

// newReloading catches the signal from now on: one that comes while the process starts counts
// once it has started. The level of the log is what every process can change.
func newReloading(s *settings, level *slog.LevelVar, logger *slog.Logger) *reloading {
	r := &reloading{settings: s, logger: logger, hangups: make(chan os.Signal, 1)}
	signal.Notify(r.hangups, syscall.SIGHUP)
	r.add("log level", []string{"log-level"}, func(_ context.Context, next *settings) (func(), error) {
		wanted := next.gatewayFlags().level
		return when(wanted != level.Level(), func() { level.Set(wanted) }), nil
	})
	return r
}

// add has a part take on the settings that are named. It is called before start.
func (r *reloading) add(name string, names []string, prepare func(context.Context, *settings) (func(), error)) {
	r.list = append(r.list, reloadPart{Name: name, Settings: names, Prepare: prepare})
}

// start returns the parts, which measure how it goes.
func (r *reloading) start() *reload.Parts[*settings] {
	r.parts = reload.NewParts(r.list...)
	return r.parts
}

// reopens has a file opened anew at each signal, also where the settings are not to be used.
func (r *reloading) reopens(name string, reopen func() error) {
	r.files = append(r.files, reopener{name, reopen})
}

// stop leaves the signal to the system again.
func (r *reloading) stop() { signal.Stop(r.hangups) }

// when returns apply where there is something to change.
func when(changed bool, apply func()) func() {
	if !changed {
		return nil
	}
	return apply
}

// run reads the settings again at each signal, until ctx ends.
func (r *reloading) run(ctx context.Context) {
	tellManager(managerReady)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hangups:
			tellManager(managerReloading())
			for _, f := range r.files {
				if err := f.reopen(); err != nil {
					r.logger.ErrorContext(ctx, "cannot open the "+f.name+" anew; it goes on as it was", "error", err)
				}
			}
			r.once(ctx)
			tellManager(managerReady)
		}
	}
}

// once reads the settings again, and has the parts take them on: all of them, or none.
func (r *reloading) once(ctx context.Context) {
	next, err := r.settings.again()
	if err != nil {
		r.parts.Refuse()
		for _, p := range asProblems(err) {
			r.logger.ErrorContext(ctx, "the settings are not reloaded, and nothing has changed: "+p.text, "place", p.place)
		}
		return
	}
	next.warn(r.logger)
	changed, err := r.parts.TakeOn(ctx, next)
	if err != nil {
		r.logger.ErrorContext(ctx, "the settings are not reloaded, and nothing has changed", "error", err)
		return
	}
	if stuck := next.changed(r.settings, r.parts.Settings()); len(stuck) > 0 {
		r.logger.WarnContext(ctx, "settings have changed that are taken on by a restart alone", "settings", strings.Join(stuck, ", "))
	}
	r.logger.InfoContext(ctx, "the settings are reloaded", "changed", strings.Join(changed, ", "))
}

// shown has a door show the certificate that the settings name from then on. Whether there is
// one at all is a matter of a restart.
func (r *reloading) shown(name, flag string, shown *certificate, of func(*settings) (pair *tls.Certificate, file string)) {
	r.add(name, []string{flag + "-cert", flag + "-key"}, func(_ context.Context, next *settings) (func(), error) {
		pair, file := of(next)
		switch {
		case (pair == nil) != (shown == nil):
			r.logger.Warn("whether HTTPS is spoken is taken on by a restart alone", "settings", flag+"-cert, "+flag+"-key")
			return nil, nil
		case pair == nil || slices.EqualFunc(pair.Certificate, shown.current.Load().Certificate, bytes.Equal):
			return nil, nil
		}
		if says, over := untimely(pair, file, time.Now()); over {
			return nil, failed(nil, "%s", says)
		}
		return func() { shown.current.Store(pair) }, nil
	})
}

// gateway has the gateway of the process take on its certificate and its bounds.
func (r *reloading) gateway(s *server, d *doors, shown *certificate, router *gateway.Gateway) {
	r.shown("certificate of the gateway", "gateway-tls", shown, func(next *settings) (*tls.Certificate, string) {
		return next.gatewayFlags().gatewayCertificate, next.gatewayFlags().GatewayTLSCert
	})
	most := r.settings.gatewayFlags().GatewayMaxCalls
	r.add("calls of the gateway", []string{"gateway-max-calls"}, func(_ context.Context, next *settings) (func(), error) {
		wanted := next.gatewayFlags().GatewayMaxCalls
		return when(wanted != most, func() { most = wanted; router.SetMaxCalls(wanted) }), nil
	})
	r.add("connections", []string{"max-connections", "gateway-max-connections"}, func(_ context.Context, next *settings) (func(), error) {
		control, public := next.line.Serve.MaxConns, next.gatewayFlags().GatewayMaxConns
		if d.control.listener == nil {
			control = 0
		}
		return d.rebound(control, public, descriptorLimit(), r.logger), nil
	})
	r.add("delay of the end", []string{"shutdown-delay"}, func(_ context.Context, next *settings) (func(), error) {
		wanted := int64(next.gatewayFlags().ShutdownDelay)
		return when(wanted != s.delay.Load(), func() { s.delay.Store(wanted) }), nil
	})
}

// control has the control plane take on its certificate and its bounds.
func (r *reloading) control(shown *certificate, calls, polls *turnstile.Calls) {
	r.shown("certificate of the control plane", "tls", shown, func(next *settings) (*tls.Certificate, string) {
		return next.line.Serve.certificate, next.line.Serve.TLSCert
	})
	r.add("calls of the control plane", []string{"max-calls", "max-polls"}, func(_ context.Context, next *settings) (func(), error) {
		c := next.line.Serve
		return when(c.MaxCalls != calls.Most() || c.MaxPolls != polls.Most(), func() {
			calls.SetMost(c.MaxCalls)
			polls.SetMost(c.MaxPolls)
		}), nil
	})
}

// keys has the store go on with the keys that the file has now. Which file that is, is a matter
// of a restart: no API may read it, and that was settled at the start.
func (r *reloading) keys(dir *dataDir, present sqlstore.Keys, check func(context.Context, sqlstore.Keys) error, set func(sqlstore.Keys)) {
	r.add("encryption keys", nil, func(ctx context.Context, _ *settings) (func(), error) {
		wanted, err := readKeys(dir.keyName())
		if err != nil || slices.Equal(wanted, present) {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, checkKeysWithin)
		defer cancel()
		if err := check(ctx, wanted); err != nil {
			return nil, failed(err, "%s: %s.", dir.keyName(), oneLine(err))
		}
		return func() { present = wanted; set(wanted) }, nil
	})
}
