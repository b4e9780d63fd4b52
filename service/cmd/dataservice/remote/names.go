// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/internal/spelling"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// hint adds a sentence to the service's own, before what it can be looked up by.
type hint struct {
	answer *client.Error
	text   string
}

// Error returns both sentences.
func (h *hint) Error() string { return h.answer.Message() + " " + h.text + h.answer.Reference() }

// Unwrap returns the service's own error.
func (h *hint) Unwrap() error { return h.answer }

// hinting adds to a "not found" which names are like the one that was given, or else the
// command that lists them.
func hinting(err error, ref string, names []string, command string) error {
	var called *client.Error
	if !client.IsNotFound(err) || !errors.As(err, &called) {
		return err
	}
	text := fmt.Sprintf("`dataservice %s` lists what there is.", command)
	if near := nearNames(ref, names); len(near) > 0 {
		text = fmt.Sprintf("Did you mean %s?", alternatives(near))
	}
	return &hint{called, text}
}

// alternatives writes "a", "a or b", "a, b or c".
func alternatives(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// mostNear is how many names are proposed in place of one that is not there.
const mostNear = 3

// nearNames returns the names that are most like ref, the nearest first: those that differ
// in a few letters, or that it is a part of.
func nearNames(ref string, names []string) []string {
	type near struct {
		name     string
		distance int
	}
	var found []near
	small := strings.ToLower(ref)
	for _, name := range names {
		other := strings.ToLower(name)
		d := spelling.Distance(small, other)
		switch {
		case other == small:
			d = 0
		// A name of few letters is like every other.
		case len(small) >= 3 && (strings.Contains(other, small) || strings.Contains(small, other) && len(other) >= 3):
			d = min(d, 3)
		case d > 3 || d*2 >= len(small):
			continue
		}
		found = append(found, near{name, d})
	}
	slices.SortStableFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	var nearest []string
	for _, n := range found[:min(len(found), mostNear)] {
		nearest = append(nearest, n.name)
	}
	return nearest
}

// mostCompared bounds how many names are read to find some that are near.
const mostCompared = 2 * client.MaxPage

// namesOf reads names from a list; as many as it gets.
func namesOf[T any](ctx context.Context, read func(context.Context, client.Page) (service.List[T], error), name func(T) string) []string {
	var names []string
	for item, err := range client.Each(ctx, client.MaxPage, read) {
		if err != nil || len(names) == mostCompared {
			break
		}
		names = append(names, name(item))
	}
	return names
}

// findAPI returns the API with that id, number or name.
func (t terminal) findAPI(ctx context.Context, ref string) (service.API, error) {
	if ref == "" {
		return service.API{}, usage("The name of the API is empty.")
	}
	a, err := t.API(ctx, ref)
	if client.IsNotFound(err) {
		names := namesOf(ctx, func(ctx context.Context, p client.Page) (service.List[service.API], error) {
			return t.APIs(ctx, client.APIFilter{}, p)
		}, func(a service.API) string { return a.Name })
		err = hinting(err, ref, names, "apis list")
	}
	return a, err
}

// findGroup returns the group with that id or name.
func (t terminal) findGroup(ctx context.Context, ref string) (service.Group, error) {
	g, err := t.Group(ctx, ref)
	if client.IsNotFound(err) {
		names := namesOf(ctx, t.Groups, func(g service.Group) string { return g.Name })
		if near := nearNames(ref, names); len(near) > 0 {
			err = hinting(err, ref, names, "")
		}
	}
	return g, err
}

// findConnection returns the connection with that id, number or name.
func (t terminal) findConnection(ctx context.Context, ref string) (service.Connection, error) {
	c, err := t.Connection(ctx, ref)
	if client.IsNotFound(err) {
		names := namesOf(ctx, t.Connections, func(c service.Connection) string { return c.Name })
		if near := nearNames(ref, names); len(near) > 0 {
			err = hinting(err, ref, names, "")
		}
	}
	return c, err
}

// connectionName returns the name of the connection with that id, or the id where the
// caller is not shown it.
func (t terminal) connectionName(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	c, err := t.Connection(ctx, id)
	if err != nil {
		return id
	}
	return c.Name
}

// findEnvironment returns the environment with that id or name; ExitUsage where instances
// have environments of that name.
func (t terminal) findEnvironment(ctx context.Context, ref string) (service.Environment, error) {
	all, err := client.All(ctx, t.Environments)
	if err != nil {
		return service.Environment{}, err
	}
	var named []service.Environment
	for _, e := range all {
		if e.ID == ref {
			return e, nil
		}
		if e.Name == ref {
			named = append(named, e)
		}
	}
	switch len(named) {
	case 1:
		return named[0], nil
	case 0:
		e, err := t.Environment(ctx, ref)
		return e, hinting(err, ref, environmentNames(all), "environments list")
	}
	// The one that the service takes itself for the name is what Terraform takes too.
	var ids []string
	for _, e := range named {
		ids = append(ids, fmt.Sprintf("%s (instance %s)", e.ID, e.InstanceID))
	}
	return service.Environment{}, usage("%d environments are named %q: say which by its id, %s.", len(named), ref, alternatives(ids))
}

func environmentNames(all []service.Environment) []string {
	var names []string
	for _, e := range all {
		if !slices.Contains(names, e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}

// environmentID returns the id of the environment with that id or name; "" for "".
func (t terminal) environmentID(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	e, err := t.findEnvironment(ctx, ref)
	return e.ID, err
}

// apiID returns the id of the API with that id, number or name; "" for "".
func (t terminal) apiID(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	a, err := t.findAPI(ctx, ref)
	return a.ID, err
}

// splitRef takes "API@ENVIRONMENT" apart; environment is what a flag says.
func splitRef(ref, environment string) (api, where string, err error) {
	api, where, both := strings.Cut(ref, "@")
	switch {
	case !both:
		return ref, environment, nil
	case api == "" || where == "":
		return "", "", usage("%q names no publication: write the name of an API, @, and that of an environment, such as list_cities@RELEASE.", ref)
	case environment != "" && environment != where:
		return "", "", usage("%q is in another environment than --environment=%s: name one.", ref, environment)
	}
	return api, where, nil
}

// findPublication returns the publication with that id, or that of an API: of
// "API@ENVIRONMENT", of the environment that is named besides, or of the only one where it is.
func (t terminal) findPublication(ctx context.Context, ref, environment string) (service.Publication, error) {
	var none service.Publication
	if service.IsID(ref) {
		p, err := t.Publication(ctx, ref, 0)
		if !client.IsNotFound(err) {
			return p, err
		}
		if _, other := t.API(ctx, ref); other != nil {
			return p, hinting(err, ref, nil, "publications list")
		}
	}
	name, environment, err := splitRef(ref, environment)
	if err != nil {
		return none, err
	}
	environmentID, err := t.environmentID(ctx, environment)
	if err != nil {
		return none, err
	}
	api, err := t.findAPI(ctx, name)
	if err != nil {
		return none, err
	}
	everywhere, err := t.publicationsOf(ctx, api.ID, "")
	if err != nil {
		return none, err
	}
	here := slices.DeleteFunc(slices.Clone(everywhere), func(p service.Publication) bool {
		return environmentID != "" && p.EnvironmentID != environmentID
	})
	switch {
	case len(here) == 1:
		return here[0], nil
	case len(everywhere) == 0:
		return none, &failure{exit: ExitNotFound, message: fmt.Sprintf("%s was published in no environment yet: `dataservice publications publish %s` does that.", api.Name, api.Name)}
	case len(here) == 0:
		return none, &failure{exit: ExitNotFound, message: fmt.Sprintf("%s was not published in %s yet. It is known in %s.", api.Name, environment, alternatives(places(everywhere)))}
	}
	return none, usage("%s is known in %s: say which is meant with --environment.", api.Name, strings.Join(places(here), ", "))
}

// places are the names of the environments of publications.
func places(publications []service.Publication) []string {
	var names []string
	for _, p := range publications {
		names = append(names, p.EnvironmentName)
	}
	slices.Sort(names)
	return names
}

func (t terminal) publicationsOf(ctx context.Context, apiID, environmentID string) ([]service.Publication, error) {
	return client.All(ctx, func(ctx context.Context, p client.Page) (service.List[service.Publication], error) {
		return t.Publications(ctx, client.PublicationFilter{APIID: apiID, EnvironmentID: environmentID}, p)
	})
}

// findReview returns the review with that id, or the open one of an API or of
// "API@ENVIRONMENT". Where none is open, and decided says that one which was decided will do
// as well, it is the newest.
func (t terminal) findReview(ctx context.Context, ref string, decided bool) (service.Review, error) {
	var none service.Review
	if service.IsID(ref) {
		r, err := t.Review(ctx, ref, 0)
		if !client.IsNotFound(err) {
			return r, err
		}
		if _, other := t.API(ctx, ref); other != nil {
			return r, hinting(err, ref, nil, "reviews list")
		}
	}
	name, environment, err := splitRef(ref, "")
	if err != nil {
		return none, err
	}
	filter := client.ReviewFilter{}
	if filter.EnvironmentID, err = t.environmentID(ctx, environment); err != nil {
		return none, err
	}
	api, err := t.findAPI(ctx, name)
	if err != nil {
		return none, err
	}
	filter.APIID, filter.Status = api.ID, service.ReviewPending
	open, err := t.reviews(ctx, filter)
	if err != nil {
		return none, err
	}
	switch {
	case len(open) == 1:
		return open[0], nil
	case len(open) > 1:
		var which []string
		for _, r := range open {
			which = append(which, fmt.Sprintf("%s (%s)", r.ID, asked(r)))
		}
		return none, usage("%s has %d open applications: say which is meant by its id, %s.", api.Name, len(open), alternatives(which))
	}
	if decided {
		filter.Status = ""
		newest, err := t.Reviews(ctx, filter, client.Page{Limit: 1})
		if err != nil || len(newest.Items) > 0 {
			return append(newest.Items, none)[0], err
		}
	}
	return none, &failure{exit: ExitNotFound, message: fmt.Sprintf("No application of %s is open: `dataservice reviews list --api %s --all` shows those that were decided.", ref, name)}
}

func (t terminal) reviews(ctx context.Context, filter client.ReviewFilter) ([]service.Review, error) {
	return client.All(ctx, func(ctx context.Context, p client.Page) (service.List[service.Review], error) {
		return t.Reviews(ctx, filter, p)
	})
}
