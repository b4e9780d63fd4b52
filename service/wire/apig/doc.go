// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package apig answers the calls of API Gateway (dedicated, V2) of Huawei Cloud that publish
// APIs and take them offline, at /v2/{project_id}/apigw/instances/{instance_id}, so that its
// SDKs need nothing but another endpoint. Projects are workspaces, instances are instances,
// a publication record is a publication, and an API is published where something of it is live.
//
// These calls promise that what they answer is so: publishing that a reviewer has to decide
// on, and taking offline what authorized apps have to be told of, is refused.
//
// Errors are {error_code, error_msg} with the vendor's codes: see failure.go. What the vendor
// has and this service has not is answered 501 with APIG.0101.
// Source: apig-publish-offline.
package apig
