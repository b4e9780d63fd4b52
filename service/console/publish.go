// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (c *console) publishPages(r chi.Router) {
	r.Get("/publish", c.page("publish", c.choose))
	r.Post("/publish", c.act("publish-several", c.publish))
}

// publishPage is the APIs that are defined, to be published.
type publishPage struct {
	Search       string
	Environments []publishTo
	Environment  string // its id
	APIs         []publishRow
	// Some says that there is something that the member may publish somewhere.
	Some      bool
	Next      string
	Terraform string
}

// publishTo is an environment, and what publishing there is for the member.
type publishTo struct {
	service.Environment
	Way string
	// Refused says that the member may not.
	Refused bool
}

type publishRow struct {
	service.API
	// About and Debugged are the beginnings of its description, and of how its test call went.
	About, Debugged string
	// Publishable says that it may be chosen.
	Publishable bool
	Where       []service.Publication
}

// ways says what publishing is for who does it.
var ways = map[service.Way]string{service.WayDirect: "live at once", service.WayReview: "a reviewer decides", service.WayRefused: "not yours to publish"}

// choose shows what can be published.
func (c *console) choose(v *visit) error {
	p := publishPage{Search: v.query("search"), Environment: v.query("environment"), Terraform: publishing}
	environments, err := c.environments(v)
	if err != nil {
		return err
	}
	somewhere := false
	for _, e := range environments {
		way := e.Rights(v.caller.Member).Publish.Way
		p.Environments = append(p.Environments, publishTo{e, ways[way], way == service.WayRefused})
		somewhere = somewhere || way != service.WayRefused
	}
	l, err := c.Service.APIs(v, v.caller, lifecycle.APIFilter{Search: p.Search}, v.list())
	if err != nil {
		return err
	}
	live, err := c.publishedWhere(v, l.Items)
	if err != nil {
		return err
	}
	for _, a := range l.Items {
		row := publishRow{API: a, About: beginning(a.Description), Debugged: beginning(a.DebugMessage), Where: live[a.ID], Publishable: somewhere && a.DebugStatus == service.DebugSuccess && v.caller.Member.MayChange(a.PrivateTo())}
		p.Some = p.Some || row.Publishable
		p.APIs = append(p.APIs, row)
	}
	p.Next = v.next(l.Next)
	return c.show(v, "publish", "publications", "Publish", p)
}

// maxBeginning is how much of a long text a list shows, in characters.
const maxBeginning = 200

func beginning(text string) string {
	letters := []rune(text)
	if len(letters) <= maxBeginning {
		return text
	}
	return string(letters[:maxBeginning]) + "…"
}

// publishedWhere finds the publications of the APIs, by their ids.
func (c *console) publishedWhere(v *visit, apis []service.API) (map[string][]service.Publication, error) {
	where := map[string][]service.Publication{}
	filter := lifecycle.PublicationFilter{}
	for _, a := range apis {
		filter.APIIDs = append(filter.APIIDs, a.ID)
	}
	if len(apis) == 0 {
		return where, nil
	}
	for page := (lifecycle.Page{Limit: maxChoices}); ; {
		l, err := c.Service.Publications(v, v.caller, filter, page)
		if err != nil {
			return nil, err
		}
		for _, p := range l.Items {
			where[p.APIID] = append(where[p.APIID], p)
		}
		if l.Next == "" {
			return where, nil
		}
		page.After = l.Next
	}
}

// publish publishes each of several APIs by itself.
func (c *console) publish(v *visit) error {
	chosen := v.r.PostForm["api"]
	if len(chosen) == 0 {
		return service.Errorf(service.CodeInvalid, "Nothing is chosen. Go back, and tick what is to be published.")
	}
	var in service.PublishBatchInput
	for _, what := range chosen {
		id, number, _ := strings.Cut(what, ".")
		revision, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return service.Errorf(service.CodeMalformed, "%q names no API and revision. Open the page again and try it from there.", what)
		}
		// Where the API reads from another connection in this environment, it goes on doing so.
		in.Items = append(in.Items, service.PublishInput{APIID: id, Revision: revision, EnvironmentID: v.field("environment"), Remark: v.field("remark"), KeepConnection: true})
	}
	done, err := c.Service.PublishBatch(v, v.caller, in)
	if err != nil {
		return err
	}
	o := outcomes{Back: "/publications", To: "Publications"}
	for i, d := range done {
		item := outcome{What: c.apiName(v, in.Items[i].APIID), Page: "/publications/" + d.Publication.ID}
		if d.Err != nil {
			item.Problem, item.Page = sentence(d.Err), ""
		} else {
			item.What = fmt.Sprintf("%s in %s", d.Publication.APIName, d.Publication.EnvironmentName)
			item.Done = string(d.Publication.Status)
		}
		o.Items = append(o.Items, item)
	}
	return c.show(v, "outcomes", "publications", "Publishing", o)
}

func (c *console) apiName(v *visit, id string) string {
	api, err := c.Service.API(v, v.caller, id)
	if err != nil {
		return "API " + id
	}
	return api.Name
}
