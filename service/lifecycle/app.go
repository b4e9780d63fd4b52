// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// What an app's secrets begin with, so that scanners and people recognise them. Webhook
// secrets are written as Standard Webhooks has them.
const (
	secretPrefix        = "dss_"
	appCodePrefix       = "dsa_"
	webhookSecretPrefix = "whsec_"
)

// randomBytes returns n random bytes.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic("lifecycle: the system has no random numbers: " + err.Error())
	}
	return b
}

// newSecret makes a secret of 256 random bits.
func newSecret(prefix string) service.Secret {
	return service.Secret(prefix + base64.RawURLEncoding.EncodeToString(randomBytes(32)))
}

func newWebhookSecret() service.Secret {
	return service.Secret(webhookSecretPrefix + base64.StdEncoding.EncodeToString(randomBytes(32)))
}

// newKey makes the public name of an app in signatures: 32 hex digits.
func newKey() string { return hex.EncodeToString(randomBytes(16)) }

func newKeyGeneration(number int64, now time.Time) KeyGeneration {
	return KeyGeneration{Generation: number, Secret: newSecret(secretPrefix), AppCode: newSecret(appCodePrefix), CreatedAt: now}
}

// CreateApp adds an app of the caller, or, for admins, of the member that the input
// names. A member has one app of type IAM at the most.
func (s *Service) CreateApp(ctx context.Context, c Caller, in service.AppInput) (service.App, error) {
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return service.App{}, err
	}
	in.AppSpec = in.WithDefaults()
	if err := in.Validate(); err != nil {
		return service.App{}, err
	}
	created, err := once(ctx, s, c, "app.create", in, nil, func(tx Tx) (service.App, string, error) {
		owner, err := appOwner(ctx, tx, c, in.OwnerID, c.Member.ID)
		if err != nil {
			return service.App{}, "", err
		}
		now := s.now()
		a := service.App{
			ID: service.NewID(now), WorkspaceID: c.Workspace.ID, AppSpec: in.AppSpec, OwnerID: owner.ID, OwnerName: owner.Name,
			CreatedAt: now, UpdatedAt: now, RowVersion: firstRowVersion,
		}
		if a.Type == service.AppTypeApp {
			a.Key = newKey()
		} else if err := refuseSecondIAM(ctx, tx, a); err != nil {
			return service.App{}, "", err
		}
		if err := tx.CreateApp(ctx, &a, newWebhookSecret()); err != nil {
			return service.App{}, "", err
		}
		if a.Type == service.AppTypeApp {
			if err := tx.PutKeyGenerations(ctx, a.ID, []KeyGeneration{newKeyGeneration(1, now)}); err != nil {
				return service.App{}, "", err
			}
		}
		if err := tx.Announce(ctx, appChanges(a)...); err != nil {
			return service.App{}, "", err
		}
		return a, a.ID, s.record(ctx, tx, c, "app.create", a.ID, a.Name, audited(a))
	})
	created.RowVersion = firstRowVersion
	return created, err
}

// appChanges are what the gateway is told of an app that is new, another's or gone.
func appChanges(a service.App, formerOwners ...string) []Change {
	if a.Type == service.AppTypeApp {
		return []Change{{ChangeApp, a.ID}}
	}
	changes := []Change{{ChangeMember, a.OwnerID}}
	for _, id := range formerOwners {
		changes = append(changes, Change{ChangeMember, id})
	}
	return changes
}

// appOwner resolves whom an app is to belong to: the member that the input names, or else
// the one that it belongs to anyway.
func appOwner(ctx context.Context, tx Tx, c Caller, ref, present string) (service.Member, error) {
	if ref == "" || ref == present {
		return tx.Member(ctx, c.Workspace.ID, present)
	}
	self := ref == c.Member.ID || ref == c.Member.Name
	if self && present == c.Member.ID {
		return c.Member, nil
	}
	// Before the look-up: who there is, is not everybody's business.
	if !c.Member.May(service.OpAdminister) {
		return service.Member{}, &service.Error{
			Code: service.CodeForbidden, Message: fmt.Sprintf("%s may not say whose an app is: admins alone hand apps over.", c.Member.Name),
			Fields: []service.FieldError{{Pointer: "/owner_id", Message: "Leave it out, or ask an admin."}},
		}
	}
	owner, err := tx.Member(ctx, c.Workspace.ID, ref)
	if service.ErrorCode(err) == service.CodeNotFound {
		var v service.Invalid
		v.Addf("/owner_id", "There is no member %q here: use the name or id of one in this workspace.", ref)
		return service.Member{}, v.Err("The app")
	}
	if err != nil {
		return owner, err
	}
	return tx.HoldMember(ctx, owner.WorkspaceID, owner.ID)
}

// refuseSecondIAM keeps a member at one app of type IAM: its tokens stand for one app.
func refuseSecondIAM(ctx context.Context, tx Tx, a service.App) error {
	own, err := tx.Apps(ctx, a.WorkspaceID, AppFilter{OwnerID: a.OwnerID, Type: service.AppTypeIAM}, Page{Limit: 1})
	if err != nil || len(own) == 0 || own[0].ID == a.ID {
		return err
	}
	return service.Errorf(service.CodeAlreadyExists, "%s has the IAM app %q already, and a member has one at the most: use that one.", a.OwnerName, own[0].Name)
}

// appDetail is an app in the audit trail.
type appDetail struct {
	service.AppSpec
	OwnerName string `json:"owner_name"`
}

func audited(a service.App) appDetail { return appDetail{a.AppSpec, a.OwnerName} }

// visibleApp finds an app that the caller is shown: their own, all of them to operators,
// admins and reviewers. Of the others nobody learns.
func visibleApp(ctx context.Context, tx Tx, c Caller, ref string) (service.App, error) {
	a, err := tx.App(ctx, c.Workspace.ID, ref)
	if err == nil && !c.Member.SpeaksFor(a.OwnerID) && !c.Member.May(service.OpDecide) {
		return service.App{}, service.NotFound("app", ref)
	}
	return a, err
}

// changeableApp finds an app that the caller may change.
func changeableApp(ctx context.Context, tx Tx, c Caller, ref string) (service.App, error) {
	a, err := visibleApp(ctx, tx, c, ref)
	if err == nil && !c.Member.SpeaksFor(a.OwnerID) {
		return service.App{}, service.Errorf(service.CodeForbidden, "The app %q belongs to %s: its owner, operators and admins alone may change it.", a.Name, a.OwnerName)
	}
	return a, err
}

// UpdateApp replaces name, description, webhook and, for admins, the owner of an app. Type
// and key are for good. ifMatch is an ETag, or "" for no check.
func (s *Service) UpdateApp(ctx context.Context, c Caller, ref, ifMatch string, in service.AppInput) (service.App, error) {
	var none, updated service.App
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return none, err
	}
	err := s.update(ctx, c, func(tx Tx) error {
		a, err := changeableApp(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, a.ETag(), "app", a.Name); err != nil {
			return err
		}
		before := a
		in.Type = cmp.Or(in.Type, a.Type)
		if err := in.Validate(); err != nil {
			return err
		}
		if in.Type != a.Type {
			var v service.Invalid
			v.Addf("/type", "The type of an app cannot change: %q is of type %s. Create another app.", a.Name, a.Type)
			return v.Err("The app")
		}
		owner, err := appOwner(ctx, tx, c, in.OwnerID, a.OwnerID)
		if err != nil {
			return err
		}
		a.AppSpec, a.OwnerID, a.OwnerName, a.UpdatedAt = in.AppSpec, owner.ID, owner.Name, s.now()
		if a.Type == service.AppTypeIAM {
			if err := refuseSecondIAM(ctx, tx, a); err != nil {
				return err
			}
		}
		if err := tx.UpdateApp(ctx, &a); err != nil {
			return staleOrConflict(err, ifMatch, "app", before.Name)
		}
		if err := tx.Announce(ctx, appChanges(a, before.OwnerID)...); err != nil {
			return err
		}
		updated = a
		return s.record(ctx, tx, c, "app.update", a.ID, a.Name, change{audited(before), audited(a)})
	})
	if err != nil {
		return none, err
	}
	return updated, nil
}

// DeleteApp removes an app. Its authorizations end at once, and nobody waits for it any
// more. ifMatch is an ETag, or "" for no check.
func (s *Service) DeleteApp(ctx context.Context, c Caller, ref, ifMatch string) error {
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return err
	}
	return s.update(ctx, c, func(tx Tx) error {
		// What ends with the app may let announced suspensions and unpublishings happen.
		if err := lockInstances(ctx, tx, c); err != nil {
			return err
		}
		a, err := changeableApp(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, a.ETag(), "app", a.Name); err != nil {
			return err
		}
		return s.dropApp(ctx, tx, c, a)
	})
}

// dropApp ends every authorization of the app and removes it. All instances of the
// workspace are locked.
func (s *Service) dropApp(ctx context.Context, tx Tx, c Caller, a service.App) error {
	changes := appChanges(a)
	for page := (Page{Limit: maxHolders}); ; {
		authorizations, err := tx.Authorizations(ctx, a.WorkspaceID, AuthorizationFilter{AppID: a.ID}, page)
		if err != nil {
			return err
		}
		for _, z := range authorizations {
			page.After = z.ID
			changes = append(changes, Change{ChangeAuthorization, z.PublicationID}, Change{ChangePublication, z.PublicationID})
			if err := s.giveUp(ctx, tx, c, &z); err != nil {
				return err
			}
		}
		if len(authorizations) < page.Limit {
			break
		}
	}
	if err := tx.DeleteApp(ctx, a.WorkspaceID, a.ID); err != nil {
		return err
	}
	if err := tx.Announce(ctx, changes...); err != nil {
		return err
	}
	if _, err := tx.VoidIdempotency(ctx, a.ID, ""); err != nil {
		return err
	}
	return s.record(ctx, tx, c, "app.delete", a.ID, a.Name, audited(a))
}

// App returns one app, without its credentials.
func (s *Service) App(ctx context.Context, c Caller, ref string) (service.App, error) {
	var a service.App
	err := s.read(ctx, c, func(tx Tx) (_ string, err error) {
		if err := c.Member.Authorize(service.OpOwnApps); err != nil {
			return "", err
		}
		a, err = visibleApp(ctx, tx, c, ref)
		return a.ID, err
	})
	return a, err
}

// Apps lists the apps that the caller is shown: those of one owner, or all where ownerRef
// is "".
func (s *Service) Apps(ctx context.Context, c Caller, ownerRef string, page Page) (service.List[service.App], error) {
	l := service.List[service.App]{Items: []service.App{}}
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpOwnApps); err != nil {
			return err
		}
		filter := AppFilter{OwnerID: ownerRef}
		if ownerRef == c.Member.Name {
			filter.OwnerID = c.Member.ID
		}
		switch all := c.Member.May(service.OpAllApps) || c.Member.May(service.OpDecide); {
		case !all && filter.OwnerID == "":
			filter.OwnerID = c.Member.ID
		case !all && filter.OwnerID != c.Member.ID:
			return nil // Of the others nobody learns.
		case all && ownerRef != "":
			owner, err := tx.Member(ctx, c.Workspace.ID, ownerRef)
			if err != nil {
				return err
			}
			filter.OwnerID = owner.ID
		}
		var err error
		l, err = list(page, func(a service.App) string { return a.ID }, func(p Page) ([]service.App, error) {
			return tx.Apps(ctx, c.Workspace.ID, filter, p)
		})
		return err
	})
	return l, err
}

// AppCredentials returns what an app signs with, to its owner alone: not even an admin
// reads it, who may hand the app over, which is seen in the audit trail.
func (s *Service) AppCredentials(ctx context.Context, c Caller, ref string) (service.Credentials, error) {
	var credentials service.Credentials
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpOwnApps); err != nil {
			return err
		}
		a, err := visibleApp(ctx, tx, c, ref)
		if err != nil {
			return err
		}
		if a.OwnerID != c.Member.ID {
			return service.Errorf(service.CodeForbidden, "The app %q belongs to %s, who alone may read its credentials. They can be rotated, and an admin can hand the app over.", a.Name, a.OwnerName)
		}
		credentials.AppID, credentials.CreatedAt = a.ID, a.CreatedAt
		if a.Type == service.AppTypeApp {
			key, err := tx.AppKey(ctx, a.ID)
			if err != nil {
				return err
			}
			credentials = described(key, s.now())
			credentials.Secret, credentials.AppCode = key.Generations[0].Secret.Reveal(), key.Generations[0].AppCode.Reveal()
		}
		webhook, err := tx.WebhookSecret(ctx, a.ID)
		credentials.WebhookSecret = webhook.Reveal()
		return err
	})
	if err != nil {
		return service.Credentials{}, err
	}
	return credentials, nil
}

// described is what everybody who may rotate a key learns of it: no secret.
func described(key AppKey, now time.Time) service.Credentials {
	present := key.Generations[0]
	d := service.Credentials{AppID: key.AppID, Key: key.Key, Generation: present.Generation, CreatedAt: present.CreatedAt}
	for _, g := range key.Generations[1:] {
		if g.ValidUntil != nil && g.ValidUntil.After(now) {
			d.PreviousValidUntil = g.ValidUntil
		}
	}
	return d
}

// RotateApp gives an app a new secret and AppCode: its owner, operators and admins. The
// present ones stay valid for the overlap, and older ones end at once. The answer has no
// secret; the owner reads them with AppCredentials.
func (s *Service) RotateApp(ctx context.Context, c Caller, ref string, in service.RotateInput) (service.Credentials, error) {
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return service.Credentials{}, err
	}
	if err := in.Validate(); err != nil {
		return service.Credentials{}, err
	}
	input := struct {
		Ref string
		service.RotateInput
	}{ref, in}
	rotated, err := once(ctx, s, c, "app.rotate", input, nil, func(tx Tx) (service.Credentials, string, error) {
		var none service.Credentials
		a, err := changeableApp(ctx, tx, c, ref)
		if err != nil {
			return none, "", err
		}
		if a.Type != service.AppTypeApp {
			return none, "", service.Errorf(service.CodeIllegalAction, "The app %q is of type IAM and has no credentials to rotate: it calls with the tokens of %s. Issue a new token, and revoke the old one.", a.Name, a.OwnerName)
		}
		key, err := tx.AppKey(ctx, a.ID)
		if err != nil {
			return none, "", err
		}
		now := s.now()
		previous := key.Generations[0]
		until := now.Add(in.Overlap())
		previous.ValidUntil = &until
		key.Generations = []KeyGeneration{newKeyGeneration(previous.Generation+1, now), previous}
		if err := tx.PutKeyGenerations(ctx, a.ID, key.Generations); err != nil {
			return none, "", err
		}
		// The app's row version keeps two rotations from running at once.
		a.UpdatedAt = now
		if err := tx.UpdateApp(ctx, &a); err != nil {
			return none, "", err
		}
		if err := tx.Announce(ctx, Change{ChangeApp, a.ID}); err != nil {
			return none, "", err
		}
		d := described(key, now)
		detail := map[string]any{"generation": d.Generation, "previous_valid_until": until}
		return d, "", s.record(ctx, tx, c, "app.rotate", a.ID, a.Name, detail)
	})
	return rotated, err
}
