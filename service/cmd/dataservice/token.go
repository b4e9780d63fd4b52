// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
	"github.com/dataservice/terraform-provider-dataservice/service/cmd/dataservice/remote"
)

// tokenCommand makes credentials for people, pipelines and the demo. It is a client
// of the running service like any other.
type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token and print it, and the member where there is none of that name."`
	List   tokenListCommand   `cmd:"" help:"List tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"Make a token useless."`
}

// connectFlags say which service is called, and as whom.
type connectFlags struct {
	remote.Connection
}

func (f connectFlags) connect() (*client.Client, error) { return f.Connect(programVersion()) }

type tokenCreateCommand struct {
	connectFlags
	remote.Output
	Member         string `help:"Whose token it is; made where there is no member of that name." required:"" placeholder:"NAME"`
	Role           string `help:"Role of a new member: ADMIN, DEVELOPER, OPERATOR or VISITOR. A member that exists must have it." placeholder:"ROLE"`
	Reviewer       bool   `help:"The member may approve, reject, suspend and unpublish. A member that exists must have that right."`
	ExpiresInHours int    `help:"Life of the token in hours: 1 to 8784; 90 days where absent." placeholder:"HOURS"`
	Description    string `help:"What the token is for." placeholder:"TEXT"`
}

// Run prints the token's secret, alone, on standard output; or the token with it, as JSON.
func (c tokenCreateCommand) Run(ctx context.Context, s streams) error {
	if role := service.Role(c.Role); role != "" && !slices.Contains(service.Roles, role) {
		return failed(nil, "%q is not a role: say --role ADMIN, DEVELOPER, OPERATOR or VISITOR.", role)
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	member, made, err := c.member(ctx, api)
	if err != nil {
		return err
	}
	issued, err := c.issue(ctx, api, member)
	if err != nil {
		return err
	}
	if c.JSON() {
		return remote.WriteJSON(s.remote(), issued)
	}
	if made {
		fmt.Fprintf(s.err, "Made the member %s.\n", describe(member))
	}
	fmt.Fprintf(s.err, "Token %s of %s%s. It is printed this once.\n", issued.ID, describe(member), expiry(issued.Token))
	_, err = fmt.Fprintln(s.out, issued.Secret)
	return err
}

// member finds the member, or makes it. One that exists is never changed: whoever
// asks for other rights than it has is told so.
func (c tokenCreateCommand) member(ctx context.Context, api *client.Client) (m service.Member, made bool, err error) {
	m, err = api.Member(ctx, c.Member)
	if client.IsNotFound(err) {
		if c.Role == "" {
			return m, false, failed(err, "There is no member %q yet: say which role it gets, such as --role DEVELOPER.", c.Member)
		}
		in := service.MemberInput{Name: c.Member, Role: service.Role(c.Role), Reviewer: c.Reviewer}
		if m, err = api.CreateMember(ctx, in); service.ErrorCode(err) != service.CodeAlreadyExists {
			return m, err == nil, err
		}
		m, err = api.Member(ctx, c.Member) // somebody else was faster
	}
	if err != nil {
		return m, false, err
	}
	if c.Role != "" && (m.Role != service.Role(c.Role) || m.Reviewer != c.Reviewer) || c.Role == "" && c.Reviewer && !m.Reviewer {
		asked := service.Member{Name: c.Member, Role: service.Role(or(c.Role, string(m.Role))), Reviewer: c.Reviewer}
		return m, false, failed(nil, "The member %s exists and is not %s. Nothing was changed: ask for what it is, or choose another name.", describe(m), rights(asked))
	}
	return m, false, nil
}

// issue makes the token. Where the answer was lost on the way, its repetition has no
// secret: that token is revoked and another one made.
func (c tokenCreateCommand) issue(ctx context.Context, api *client.Client, m service.Member) (service.IssuedToken, error) {
	const attempts = 3
	for range attempts {
		issued, err := api.IssueToken(ctx, service.TokenInput{Member: m.ID, Description: c.Description, ExpiresInHours: c.ExpiresInHours})
		if err != nil || issued.Secret != "" {
			return issued, err
		}
		if err := api.RevokeToken(ctx, issued.ID); err != nil {
			return issued, err
		}
	}
	return service.IssuedToken{}, failed(nil, "The service made a token, but its secret was lost on the way several times. Check the network, and try again.")
}

type tokenListCommand struct {
	connectFlags
	remote.Output
}

// Run prints a table, or JSON.
func (c tokenListCommand) Run(ctx context.Context, s streams) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	tokens, err := client.All(ctx, api.Tokens)
	if err != nil {
		return err
	}
	if c.JSON() {
		return remote.WriteJSON(s.remote(), append([]service.Token{}, tokens...))
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tMEMBER\tCREATED\tSTATE\tDESCRIPTION")
	for _, t := range tokens {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", t.ID, t.MemberName, t.CreatedAt.UTC().Format(time.RFC3339), state(t), t.Description)
	}
	return table.Flush()
}

type tokenRevokeCommand struct {
	connectFlags
	ID string `arg:"" help:"Id of the token, as list and create tell it."`
}

// Run revokes the token.
func (c tokenRevokeCommand) Run(ctx context.Context, s streams) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	if err := api.RevokeToken(ctx, c.ID); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.err, "Token %s is revoked.\n", c.ID)
	return err
}

// describe names a member with its rights: "ci (DEVELOPER, reviewer)".
func describe(m service.Member) string { return fmt.Sprintf("%s (%s)", m.Name, rights(m)) }

func rights(m service.Member) string {
	if m.Reviewer {
		return string(m.Role) + ", reviewer"
	}
	return string(m.Role) + ", no reviewer"
}

func expiry(t service.Token) string {
	if t.ExpiresAt == nil {
		return ""
	}
	return ", valid until " + t.ExpiresAt.UTC().Format(time.RFC3339)
}

func state(t service.Token) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked " + t.RevokedAt.UTC().Format(time.RFC3339)
	case !t.Usable(time.Now()):
		return "expired" + strings.TrimPrefix(expiry(t), ", valid until")
	default:
		return strings.TrimPrefix(expiry(t), ", ")
	}
}
