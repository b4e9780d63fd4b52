// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package dataarts answers the calls of DataArts DataService of Huawei Cloud, at
// /v1/{project_id}/service, so that its SDKs need nothing but another endpoint. A project
// or workspace is a workspace, a cluster is an instance and stands for its environment
// RELEASE, a catalog is a group or a folder, an application is a review, and a message is a
// notice. How an API is written there and here is the matter of definition.go, source.go
// and backend.go.
//
// Errors are {error_code, error_msg}: see failure.go. What the vendor has and this service
// has not is refused, a call with 501, a part of a request with 400.
// Source: dataarts-publishing-an-api and dlm-unpublish-suspend-restore.
package dataarts
