// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// reloader is something that is read or opened anew on SIGHUP.
type reloader struct {
	name   string
	reload func() error
}

// onHangup has the things reloaded, one after the other, whenever SIGHUP comes, until stop
// is called. What cannot be reloaded stays as it was, and the log says why. Where there is
// nothing to reload the signal does what it always does.
func onHangup(logger *slog.Logger, things ...reloader) (stop func()) {
	if len(things) == 0 {
		return func() {}
	}
	signals, done, ended := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer close(ended)
		for {
			select {
			case <-signals:
				reload(logger, things)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}
}

func reload(logger *slog.Logger, things []reloader) {
	for _, r := range things {
		if err := r.reload(); err != nil {
			logger.Error("cannot reload; it stays as it was", "what", r.name, "error", err)
			continue
		}
		logger.Info("reloaded", "what", r.name)
	}
}
