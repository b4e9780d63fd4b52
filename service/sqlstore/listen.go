// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// The channels on which PostgreSQL tells. What is told has no content: it is in the tables.
const (
	channelChanges = "dataservice_routes"
	channelCalls   = "dataservice_gateways"
)

const (
	// A listener that hears nothing for this long asks whether the server is still there.
	listenerQuiet = 15 * time.Second
	// It has this long to answer, and to let the listener in.
	listenerAnswer = 5 * time.Second
	// The pauses between attempts to listen again.
	listenerPause, listenerLongestPause = 100 * time.Millisecond, 5 * time.Second
)

func (e *postgresEngine) listen(ctx context.Context, log *slog.Logger, heard func(lifecycle.Hint)) {
	pause, told := listenerPause, false
	for ctx.Err() == nil {
		listening := false
		err := e.listenOnce(ctx, func(h lifecycle.Hint) {
			if h == lifecycle.HintListening && told {
				log.InfoContext(ctx, "the store notifies of route changes again")
			}
			listening = true
			heard(h)
		})
		if ctx.Err() != nil {
			return
		}
		if listening {
			heard(lifecycle.HintDeaf)
			pause, told = listenerPause, false
		}
		if !told {
			told = true
			log.WarnContext(ctx, "the store's notifications of route changes are interrupted; gateways follow by asking until they are back", "error", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, listenerLongestPause)
	}
}

// listenOnce listens on a connection of its own until that ends.
func (e *postgresEngine) listenOnce(ctx context.Context, heard func(lifecycle.Hint)) error {
	config := e.config.Copy()
	config.RuntimeParams["application_name"] += " listener"
	opening, opened := context.WithTimeout(ctx, listenerAnswer)
	defer opened()
	conn, err := pgx.ConnectConfig(opening, config)
	if err != nil {
		return err
	}
	defer func() {
		closing, closed := context.WithTimeout(context.WithoutCancel(ctx), listenerAnswer)
		defer closed()
		_ = conn.Close(closing) // there is nothing that could be lost
	}()
	for _, channel := range []string{channelChanges, channelCalls} {
		if _, err := conn.Exec(opening, "LISTEN "+channel); err != nil {
			return err
		}
	}
	heard(lifecycle.HintListening)
	for {
		waiting, stop := context.WithTimeout(ctx, listenerQuiet)
		n, err := conn.WaitForNotification(waiting)
		quiet := waiting.Err() != nil
		stop()
		switch {
		case err == nil && n.Channel == channelCalls:
			heard(lifecycle.HintCalled)
		case err == nil:
			heard(lifecycle.HintChanges)
		case ctx.Err() != nil:
			return ctx.Err()
		case !quiet || conn.IsClosed():
			return err
		default:
			if err := ask(ctx, conn); err != nil {
				return err
			}
		}
	}
}

// ask makes sure that the server is there, and still the one that takes changes: a former
// primary has nothing to tell.
func ask(ctx context.Context, conn *pgx.Conn) error {
	ctx, done := context.WithTimeout(ctx, listenerAnswer)
	defer done()
	var standby bool
	if err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
		return err
	}
	if standby {
		return fmt.Errorf("the server %s is a standby now", conn.Config().Host)
	}
	return nil
}
