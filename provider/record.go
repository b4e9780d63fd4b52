// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// record is the part that resources share of which each is one named record of the
// service: it creates, reads, updates, deletes and is imported. A resource embeds it, adds
// its schema and its plan, and has a method of its own where it is different.
//
// M is the model of the resource, In what the service is asked for, T what it answers.
//
//   - A create carries an idempotency key, so that one whose answer was lost is adopted by
//     the next apply. Where the name is taken, the error teaches how to import what has it.
//   - An update is guarded by the ETag that the state was read with: what somebody else
//     changed since the plan is not overwritten.
//   - A record that is gone leaves the state, and is no error of a destroy.
type record[M, In, T any, P recordModel[M, In, T]] struct {
	identified
	// typeName is the name of the resource, noun the word for the thing in sentences.
	typeName, noun string
	// kind is what the service calls the things where it tells what is refused; "" where
	// nobody is refused all of them.
	kind   service.Kind
	create func(*client.Client, context.Context, In, ...client.Option) (T, error)
	read   func(*client.Client, context.Context, string) (T, error)
	update func(*client.Client, context.Context, string, In, ...client.Option) (T, error)
	remove func(*client.Client, context.Context, string, ...client.Option) error

	// etag is that of an answer; nil where the service guards no update of the kind.
	etag func(T) string
	// find returns the id of the record that stands in the way of a create; the one that
	// is read by the same name where nil.
	find func(context.Context, *client.Client, In) (id string, err error)
	// complete adds to the input what the configuration alone knows, such as a write-only
	// secret. state is nil for a create. Nothing is added where nil.
	complete func(ctx context.Context, config tfsdk.Config, plan, state P, in *In) diag.Diagnostics
	// keyed is what the key of a create is made of, which must tell no secret; the input,
	// before it is completed, where nil.
	keyed func(plan P) any
}

// recordModel is a model of the record.
type recordModel[M, In, T any] interface {
	*M
	// idAndName are what the record is found by.
	idAndName() (id, name types.String)
	// input is what the model asks the service for.
	input() In
	// take makes the model say what the service answered.
	take(T)
}

func (r *record[M, In, T, P]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.typeName
}

// ModifyPlan tells that what is planned is not allowed.
func (r *record[M, In, T, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.planAllowed(ctx, req, resp)
}

// planAllowed reports whether the member may make what is planned come true, and tells
// where not.
func (r *record[M, In, T, P]) planAllowed(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) bool {
	switch {
	case req.Plan.Raw.IsNull():
		resp.Diagnostics.Append(r.planDestroy(ctx, req.State, req.Private)...)
	case req.State.Raw.IsNull():
		r.backend.planRefused(&resp.Diagnostics, r.kind, "Not allowed to create this "+r.noun)
	case !req.Plan.Raw.Equal(req.State.Raw):
		r.backend.planRefused(&resp.Diagnostics, r.kind, "Not allowed to change this "+r.noun)
	}
	return !resp.Diagnostics.HasError()
}

// planDestroy tells that the record may not be deleted.
func (r *record[M, In, T, P]) planDestroy(context.Context, tfsdk.State, privateState) (diags diag.Diagnostics) {
	r.backend.planRefused(&diags, r.kind, "Not allowed to delete this "+r.noun)
	return diags
}

func (r *record[M, In, T, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.make(ctx, req.Config, req.Plan, creation{&resp.State, resp.Identity, resp.Private, &resp.Diagnostics})
}

func (r *record[M, In, T, P]) make(ctx context.Context, config tfsdk.Config, planned tfsdk.Plan, out creation) {
	plan := P(new(M))
	out.diags.Append(get(ctx, tfsdk.State(planned), plan)...)
	if out.diags.HasError() {
		return
	}
	in := plan.input()
	keyed := any(in)
	if r.keyed != nil {
		keyed = r.keyed(plan)
	}
	if r.complete != nil {
		out.diags.Append(r.complete(ctx, config, plan, nil, &in)...)
	}
	if out.diags.HasError() || !r.backend.ready(ctx, out.diags) {
		return
	}
	_, label := plan.idAndName()
	name := label.ValueString()
	key, err := r.backend.createKey(ctx, r.typeName, name, keyed)
	if err != nil {
		addError(out.diags, nil, r.summary("create", plan), err)
		return
	}
	release, ok := r.backend.claim(key)
	if !ok {
		addDuplicate(out.diags, path.Root("name"), fmt.Sprintf("the %s %q", r.noun, name))
		return
	}
	made, err := r.create(r.backend.client, ctx, in, client.IdempotencyKey(key))
	if err != nil {
		release()
		addCreateError(ctx, out.diags, planned.Schema.Type(), r.typeName, name, r.summary("create", plan), err, func(ctx context.Context, name string) (string, error) {
			return r.existing(ctx, name, in)
		})
		return
	}
	plan.take(made)
	out.diags.Append(set(ctx, out.state, plan)...)
	id, _ := plan.idAndName()
	out.diags.Append(r.identify(ctx, out.identity, id)...)
	out.diags.Append(r.keepETag(ctx, out.private, made)...)
}

// existing returns the id of the record that stands in the way of a create.
func (r *record[M, In, T, P]) existing(ctx context.Context, name string, in In) (string, error) {
	if r.find != nil {
		return r.find(ctx, r.backend.client, in)
	}
	there, err := r.read(r.backend.client, ctx, name)
	if err != nil {
		return "", err
	}
	m := P(new(M))
	m.take(there)
	id, _ := m.idAndName()
	return id.ValueString(), nil
}

func (r *record[M, In, T, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(get(ctx, req.State, state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	id, name := state.idAndName()
	readable := r.backend.readable(ctx, &resp.Diagnostics)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, id)...)
	if !readable {
		return
	}
	got, err := r.read(r.backend.client, ctx, id.ValueString())
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("read", state), err)
		return
	}
	state.take(got)
	resp.Diagnostics.Append(set(ctx, &resp.State, state)...)
	if name.IsNull() { // an import, which may have named it otherwise than by its id
		id, _ = state.idAndName()
		resp.Diagnostics.Append(r.identifyAnew(ctx, resp.Identity, id)...)
	}
	resp.Diagnostics.Append(r.keepETag(ctx, resp.Private, got)...)
}

// current reports whether a refresh would leave everything as it is; false too where that
// cannot be told. What the service refuses is all that a refresh would tell.
func (r *record[M, In, T, P]) current(ctx context.Context, held tfsdk.State, private privateState) (same bool, diags diag.Diagnostics) {
	state := P(new(M))
	etag, unreadable := etagOf(ctx, private)
	if unreadable.HasError() || get(ctx, held, state).HasError() || r.etag == nil || r.backend == nil || r.backend.client == nil {
		return false, nil
	}
	if !r.backend.ready(ctx, &diags) {
		return false, diags
	}
	id, _ := state.idAndName()
	got, err := r.read(r.backend.client, ctx, id.ValueString())
	switch {
	case client.IsNotFound(err):
		return false, nil
	case err != nil:
		addError(&diags, nil, r.summary("read", state), err)
		return false, diags
	case r.etag(got) != etag:
		return false, nil
	}
	before := *state
	state.take(got)
	return sameValues(reflect.ValueOf(before), reflect.ValueOf(*state)), nil
}

func (r *record[M, In, T, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan, state := P(new(M)), P(new(M))
	resp.Diagnostics.Append(get(ctx, tfsdk.State(req.Plan), plan)...)
	resp.Diagnostics.Append(get(ctx, req.State, state)...)
	etag, diags := etagOf(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	in := plan.input()
	if r.complete != nil {
		resp.Diagnostics.Append(r.complete(ctx, req.Config, plan, state, &in)...)
	}
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	id, _ := state.idAndName()
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, id)...)
	got, err := r.update(r.backend.client, ctx, id.ValueString(), in, client.IfMatch(etag))
	if err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.summary("update", plan), err)
		return
	}
	plan.take(got)
	resp.Diagnostics.Append(set(ctx, &resp.State, plan)...)
	resp.Diagnostics.Append(r.keepETag(ctx, resp.Private, got)...)
}

func (r *record[M, In, T, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(get(ctx, req.State, state)...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	id, _ := state.idAndName()
	if err := r.remove(r.backend.client, ctx, id.ValueString()); err != nil && !client.IsNotFound(err) {
		addError(&resp.Diagnostics, nil, r.summary("delete", state), err)
	}
}

func (r *record[M, In, T, P]) summary(verb string, m P) string {
	id, name := m.idAndName()
	return summary(verb, r.noun, name.ValueString(), id.ValueString())
}

// keepETag notes the ETag of what the state shows.
func (r *record[M, In, T, P]) keepETag(ctx context.Context, private keptState, got T) diag.Diagnostics {
	if r.etag == nil {
		return nil
	}
	return private.SetKey(ctx, etagKey, etagValue(r.etag(got)))
}
