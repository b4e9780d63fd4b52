// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package dataworks answers the calls of DataWorks' data service of Alibaba Cloud, version
// 2020-05-18, at the path /, so that its SDKs need nothing but another endpoint. Projects
// are workspaces, business processes are groups, applications are apps, and what is
// published is so in RELEASE of the default instance. Ids that are whole numbers there are
// the numbers of things here.
//
// These calls promise that what they answer is so: publishing that a reviewer has to decide
// on is refused, and so is taking offline what authorized apps have to be told of.
// SubmitDataServiceApi makes the application that a reviewer decides on.
//
// There are two shapes of errors. What is wrong with the request, and who may not make it,
// is answered with a status of 400 and more, as {RequestId, HostId, Code, Message,
// Recommend}, which SDKs make an error of. What stands in the way of it is answered with
// 200 and Success false where the operation's answer has the two members that say why, and
// as an error else: see failure.go.
//
// Source: dataworks-create-api and dataworks-get-published-api.
package dataworks
