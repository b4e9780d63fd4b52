// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package wire holds what the vendors' faces share that is neither a vendor's nor a rule
// of the domain: the call as the control plane sees it, how times are written, and which
// instance is meant. Who calls is found out by service/wire/auth; signatures are checked by
// service/wire/signature; tokens are given out by service/wire/keystone.
//
// A face is a package of its own below this one. It registers its routes on the router of
// the control plane, has each request authenticated, calls one use case of
// service/lifecycle, and encodes what that answers as its vendor does:
//
//	r.Use(wire.AnswerPanics(broken))           // answers a panic in the vendor's shape
//	…
//	caller, err := verifier.Huawei(w, r)       // or verifier.Alibaba(w, r)
//	if err != nil { … }                        // *auth.Failure: a Reason to switch on
//	if err := auth.InWorkspace(caller, r.Header.Get("workspace"), chi.URLParam(r, "project_id")); err != nil { … }
//	instance, err := wire.Instance(ctx, service, caller, chi.URLParam(r, "instance_id"))
//	…
//	wire.CallOf(r.Context()).Note("dataarts.PublishApiToInstance", err)
package wire
