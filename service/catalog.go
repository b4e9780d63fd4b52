// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// PublishedAPI is an API as it is live in an environment.
// Source: dataworks-get-published-api, Data.
type PublishedAPI struct {
	APIID       string     `json:"api_id"`
	Number      int64      `json:"number"`
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Mode        Mode       `json:"mode"`
	Visibility  Visibility `json:"visibility" enum:"WORKSPACE,PRIVATE"`
	GroupID     string     `json:"group_id,omitempty"`
	FolderID    string     `json:"folder_id,omitempty"`
	// FolderNumber and ConnectionNumber are the numbers of the folder, and of the connection
	// that is read from; 0 for none.
	FolderNumber     int64  `json:"folder_number,omitempty"`
	ConnectionNumber int64  `json:"connection_number,omitempty"`
	ResourceGroup    string `json:"resource_group,omitempty"`
	PublicationID    string `json:"publication_id"`
	EnvironmentID    string `json:"environment_id"`
	EnvironmentName  string `json:"environment_name"`
	Status           Status `json:"status"`
	// Deadline is when its announced suspension (WAITING_STOP) or unpublishing
	// (WAITING_OFFLINE) happens at the latest.
	Deadline  *time.Time `json:"deadline,omitempty"`
	Version   string     `json:"version"`
	Revision  int64      `json:"api_revision"`
	URL       string     `json:"url"`
	OwnerName string     `json:"owner_name"`
	// CreatedAt is when the API was defined first.
	CreatedAt   time.Time  `json:"created_at"`
	PublishedBy string     `json:"published_by"`
	PublishedAt time.Time  `json:"published_at"`
	Definition  Definition `json:"definition"`
}
