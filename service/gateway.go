// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"strings"
	"time"
)

const (
	// GatewayDeadAfter is how long a gateway is silent before it counts as dead, and nobody
	// waits for it any more.
	GatewayDeadAfter = 10 * time.Second
	// GatewayForgottenAfter is how long it is silent before nobody speaks of it any more.
	GatewayForgottenAfter = 10 * time.Minute
)

// Gateway is a process that answers calls of published APIs, as it tells of itself.
type Gateway struct {
	ID string
	// InstanceID is the one instance that it serves; "" where it serves all.
	InstanceID string
	// Name is that of its machine, and Addresses are where it listens.
	Name      string
	Addresses []string
	Version   string
	// Revision is the last route change that it serves, with all before it.
	Revision  int64
	StartedAt time.Time
	SeenAt    time.Time
	// TrafficAt is when it told of its calls last; nil where it never did.
	TrafficAt *time.Time
	// Silence is how long it has not been heard of, by the clock of the store.
	Silence time.Duration
}

// Dead reports whether it is silent for so long that nobody waits for it.
func (g Gateway) Dead() bool { return g.Silence > GatewayDeadAfter }

// Serves reports whether calls of that instance come to it.
func (g Gateway) Serves(instanceID string) bool {
	return g.InstanceID == "" || g.InstanceID == instanceID
}

// Laggard is a gateway that does not serve a change yet, or does not tell.
type Laggard struct {
	ID   string `json:"id"`
	Name string `json:"name" doc:"Name of its machine."`
	// Addresses are where it listens.
	Addresses []string `json:"addresses" doc:"Where it listens."`
	// Dead says that it was not heard of for longer than GatewayDeadAfter.
	Dead   bool      `json:"dead" doc:"It was not heard of for a while, and was not waited for."`
	SeenAt time.Time `json:"seen_at" doc:"When it was heard of last."`
}

// Behind returns what is told of a gateway that does not serve a change.
func (g Gateway) Behind() Laggard {
	addresses := g.Addresses
	if addresses == nil {
		addresses = []string{} // [] on the wire, not null
	}
	return Laggard{ID: g.ID, Name: g.Name, Addresses: addresses, Dead: g.Dead(), SeenAt: g.SeenAt}
}

// String names the gateway to a person.
func (l Laggard) String() string {
	named := l.Name
	if len(l.Addresses) > 0 {
		named += " (" + strings.Join(l.Addresses, ", ") + ")"
	}
	if l.Dead {
		return fmt.Sprintf("%s, not heard of since %s", named, l.SeenAt.UTC().Format(time.RFC3339))
	}
	return named
}
