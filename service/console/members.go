// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"net/url"
	"regexp"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (c *console) memberPages(r chi.Router) {
	r.Get("/members", c.page("members", c.members))
	r.Post("/members", c.act("member-create", c.createMember))
	r.Get("/members/new", c.page("member-form", c.newMember))
	r.Get("/members/{member}", c.page("member", c.member))
	r.Post("/members/{member}", c.act("member-update", c.updateMember))
	r.Get("/members/{member}/delete", c.page("member-delete-form", c.askToDeleteMember))
	r.Post("/members/{member}/delete", c.act("member-delete", c.deleteMember))
	r.Post("/members/{member}/tokens", c.act("token-create", c.issueToken))
	r.Post("/members/{member}/tokens/{token}/revoke", c.act("token-revoke", c.revokeToken))
	r.Post("/members/{member}/access-keys/{key}/delete", c.act("access-key-delete", c.deleteAccessKey))
}

// membersPage is the list of the members.
type membersPage struct {
	Members []service.Member
	Next    string
	// Administers says that the member who looks changes them.
	Administers bool
}

func (c *console) members(v *visit) error {
	l, err := c.Service.Members(v, v.caller, v.list())
	if err != nil {
		return err
	}
	return c.show(v, "members", "members", "Members", membersPage{l.Items, v.next(l.Next), v.may(service.OpAdminister)})
}

// memberForm is the form to make a member, or to change the one that there is.
type memberForm struct {
	refusal
	service.MemberInput
	Roles []service.Role
}

func (v *visit) enteredMember() memberForm {
	return memberForm{MemberInput: service.MemberInput{Name: v.field("name"), Role: service.Role(v.field("role")), Reviewer: v.field("reviewer") != ""}, Roles: service.Roles}
}

func (c *console) newMember(v *visit) error {
	if err := v.caller.Member.Authorize(service.OpAdminister); err != nil {
		return err
	}
	return c.show(v, "member-form", "members", "New member", &memberForm{MemberInput: service.MemberInput{Role: service.RoleDeveloper}, Roles: service.Roles})
}

func (c *console) createMember(v *visit) error {
	form := v.enteredMember()
	m, err := c.Service.CreateMember(v, v.caller, form.MemberInput)
	if err != nil {
		return c.showAgain(v, err, "member-form", "members", "New member", &form)
	}
	redirect(v.w, v.r, memberPath(m.ID)+"?done=member-created")
	return nil
}

func memberPath(id string) string { return "/members/" + url.PathEscape(id) }

// memberPage is one member, with the tokens that it can be signed in with.
type memberPage struct {
	memberForm
	service.Member
	ETag, Label string
	// Administers says that the member who looks may change it, and Own that it is theirs.
	Administers, Own bool
	// Tokens open something; SeesTokens says that they are shown.
	Tokens     []tokenRow
	SeesTokens bool
	// AccessKeys are what the member signs requests with, without their secrets.
	AccessKeys []service.AccessKey
	// Description and Hours are of the token that is to be issued.
	Description     string
	Hours, MaxHours int
	// Issued is a new token, with the secret that is shown this once; nil else.
	Issued *service.IssuedToken
}

// tokenRow is a token, and whether it is the one of the session.
type tokenRow struct {
	service.Token
	ThisSession bool
}

// memberOf is the member of the address. Everybody sees themselves.
func (c *console) memberOf(v *visit) (service.Member, error) {
	if own := v.caller.Member; v.param("member") == own.ID {
		return own, nil
	}
	return c.Service.Member(v, v.caller, v.param("member"))
}

func (c *console) memberPage(v *visit) (*memberPage, error) {
	m, err := c.memberOf(v)
	if err != nil {
		return nil, err
	}
	p := &memberPage{
		Member: m, ETag: m.ETag(), Label: notInLabels.ReplaceAllString("member_"+m.Name, "_"),
		Administers: v.may(service.OpAdminister), Own: m.ID == v.caller.Member.ID,
		Hours: service.DefaultTokenHours, MaxHours: service.MaxTokenHours,
	}
	p.memberForm = memberForm{MemberInput: service.MemberInput{Name: m.Name, Role: m.Role, Reviewer: m.Reviewer}, Roles: service.Roles}
	if p.SeesTokens = p.Own || p.Administers; p.SeesTokens {
		tokens, err := c.Service.MemberTokens(v, v.caller, m.ID)
		if err != nil {
			return nil, err
		}
		for _, t := range tokens {
			p.Tokens = append(p.Tokens, tokenRow{t, t.ID == v.tokenID})
		}
		if p.AccessKeys, err = c.Service.MemberAccessKeys(v, v.caller, m.ID); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// notInLabels is what the name of a resource in Terraform has not.
var notInLabels = regexp.MustCompile(`[^A-Za-z0-9_-]`)

func (c *console) member(v *visit) error {
	p, err := c.memberPage(v)
	if err != nil {
		return err
	}
	return c.show(v, "member", "members", p.Member.Name, p)
}

func (c *console) updateMember(v *visit) error {
	p, err := c.memberPage(v)
	if err != nil {
		return err
	}
	p.memberForm = v.enteredMember()
	p.MemberInput.Name = p.Member.Name
	if _, err := c.Service.UpdateMember(v, v.caller, p.ID, v.field("etag"), p.MemberInput); err != nil {
		return c.showAgain(v, err, "member", "members", p.Member.Name, p)
	}
	redirect(v.w, v.r, memberPath(p.ID)+"?done=member-changed")
	return nil
}

// memberEnd is the form to remove a member.
type memberEnd struct {
	refusal
	service.Member
	ETag, HandOverTo string
	// Heirs are suggestions of who gets what the member owns.
	Heirs []service.Member
	// APIs and Apps are what it owns, as far as they are listed.
	APIs []service.API
	Apps []service.App
	More bool
}

func (c *console) memberEnd(v *visit) (*memberEnd, error) {
	if err := v.caller.Member.Authorize(service.OpAdminister); err != nil {
		return nil, err
	}
	m, err := c.memberOf(v)
	if err != nil {
		return nil, err
	}
	f := &memberEnd{Member: m, ETag: m.ETag(), HandOverTo: v.field("hand_over_to")}
	heirs, err := c.Service.Members(v, v.caller, lifecycle.Page{Limit: maxChoices})
	if err != nil {
		return nil, err
	}
	for _, heir := range heirs.Items {
		if heir.ID != m.ID {
			f.Heirs = append(f.Heirs, heir)
		}
	}
	apis, err := c.Service.APIs(v, v.caller, lifecycle.APIFilter{OwnerID: m.ID}, lifecycle.Page{Limit: perPage})
	if err != nil {
		return nil, err
	}
	apps, err := c.Service.Apps(v, v.caller, m.ID, lifecycle.Page{Limit: perPage})
	if err != nil {
		return nil, err
	}
	f.APIs, f.Apps, f.More = apis.Items, apps.Items, apis.Next != "" || apps.Next != ""
	return f, nil
}

func (c *console) askToDeleteMember(v *visit) error {
	f, err := c.memberEnd(v)
	if err != nil {
		return err
	}
	return c.show(v, "member-delete", "members", "Remove "+f.Name, f)
}

func (c *console) deleteMember(v *visit) error {
	f, err := c.memberEnd(v)
	if err != nil {
		return err
	}
	err = c.Service.DeleteMember(v, v.caller, f.ID, v.field("etag"), f.HandOverTo)
	if service.ErrorCode(err) == service.CodeInUse && f.HandOverTo == "" && len(f.APIs)+len(f.Apps) > 0 {
		err = service.Errorf(service.CodeInUse, "%s owns what is listed here. Say who gets it.", f.Name)
	}
	if err != nil {
		return c.showAgain(v, err, "member-delete", "members", "Remove "+f.Name, f)
	}
	redirect(v.w, v.r, "/members?done=member-removed")
	return nil
}

// issueToken shows the member with the new token. Nothing but this answer has its secret.
func (c *console) issueToken(v *visit) error {
	p, err := c.memberPage(v)
	if err != nil {
		return err
	}
	p.Description = v.field("description")
	hours, err := v.number("hours", service.DefaultTokenHours)
	if err == nil {
		p.Hours = hours
		in := service.TokenInput{Description: p.Description, ExpiresInHours: hours}
		if !p.Own {
			in.Member = p.ID
		}
		var issued service.IssuedToken
		if issued, err = c.Service.IssueToken(v, v.caller, in); err == nil {
			p.Issued = &issued
			p.Tokens = append([]tokenRow{{Token: issued.Token}}, p.Tokens...)
			p.Description, p.Hours = "", service.DefaultTokenHours
			return c.show(v, "member", "members", p.Member.Name, p)
		}
	}
	return c.showAgain(v, err, "member", "members", p.Member.Name, p)
}

func (c *console) revokeToken(v *visit) error {
	if err := c.Service.RevokeToken(v, v.caller, v.param("token")); err != nil {
		return err
	}
	redirect(v.w, v.r, memberPath(v.param("member"))+"?done=token-revoked")
	return nil
}

func (c *console) deleteAccessKey(v *visit) error {
	if err := c.Service.DeleteAccessKey(v, v.caller, v.param("key")); err != nil {
		return err
	}
	redirect(v.w, v.r, memberPath(v.param("member"))+"?done=access-key-deleted")
	return nil
}
