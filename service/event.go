// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"encoding/json"
	"time"
)

// ItselfName is the actor's name of what the service does by itself.
const ItselfName = "dataservice"

// Event is one line of the audit trail, written in the transaction of the change
// that it tells of.
type Event struct {
	// Sequence orders the events of the store.
	Sequence    int64     `json:"sequence"`
	WorkspaceID string    `json:"workspace_id"`
	At          time.Time `json:"at"`
	ActorID     string    `json:"actor_id"`
	ActorName   string    `json:"actor_name"`
	// Action is a kind of thing and a verb, such as "publication.suspend".
	Action    string `json:"action"`
	ThingID   string `json:"thing_id"`
	ThingName string `json:"thing_name"`
	RequestID string `json:"request_id,omitempty"`
	// RemoteAddress is where the request came from; "" for what the service did by itself.
	RemoteAddress string `json:"remote_address,omitempty"`
	// Number counts the events of the workspace, from 1 and without a gap.
	Number int64 `json:"number"`
	// PreviousHash is the hash of the event before, "" for the first, and Hash that of this
	// one, which covers PreviousHash: a line that was removed or altered shows.
	PreviousHash string `json:"previous_hash"`
	Hash         string `json:"hash"`
	// Detail holds what changed, as JSON; never a secret.
	Detail json.RawMessage `json:"detail,omitempty"`

	// PrivateTo is the id of the owner of an API that was private when this happened to
	// it: the owner and admins alone are shown the event. "" for all other events.
	PrivateTo string `json:"-"`
}
