// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// Rotated says what [RotateKey] did.
type Rotated struct {
	// Key is the id of the key that all secrets are encrypted with now.
	Key string
	// Replaced says that this call put it to use, and Ended that others were in use besides
	// until this call ended it.
	Replaced, Ended bool
	// Sealed counts the secrets that were encrypted anew, and Secrets those that there are.
	// Each of them was decrypted with Key.
	Sealed, Secrets int
}

// secrets is where the store keeps secrets of one kind.
type secrets struct {
	table, column string
	// key are the columns of the primary key, in order; the second one is a number.
	key []string
	// record is what the secret is sealed for.
	record func(id string, number int64) string
}

// allSecrets is everywhere that something sealed is kept.
var allSecrets = []secrets{
	{"connections", "password_sealed", []string{"id"}, func(id string, _ int64) string { return id }},
	{"apps", "webhook_secret_sealed", []string{"id"}, func(id string, _ int64) string { return webhookSecretOf(id) }},
	{"key_generations", "secret_sealed", []string{"app_id", "generation"}, secretOf},
	{"key_generations", "app_code_sealed", []string{"app_id", "generation"}, appCodeOf},
	{"access_keys", "secret_sealed", []string{"id"}, func(id string, _ int64) string { return accessKeySecretOf(id) }},
	{"debug_reports", "report_sealed", []string{"api_id", "revision"}, debugReportOf},
}

const (
	// sealedAtATime bounds one transaction of a rotation: others wait for it.
	sealedAtATime = 200

	actionRotate = "encryption_key.rotate"
	actionRetire = "encryption_key.retire"
)

// RotateKey puts the last of the keys to use in the store, and encrypts all secrets with it.
// Others may use the store meanwhile, as long as they have that key too: a live gateway or
// service that does not is named, and nothing is changed.
//
// What is written from then on is sealed with the new key, by whichever process. What was
// there before is sealed anew in small transactions, each secret only where it is what was
// read. So it can be broken off anywhere, and called again: it goes on from there. In the
// end every secret is read, and only then are the other keys given up.
func RotateKey(ctx context.Context, o Options) (done Rotated, err error) {
	o.AsItIs = true
	s, err := Open(ctx, o)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	to := s.keyring().newest()
	done.Key = to.id
	if done.Replaced, err = s.useKey(ctx, *to); err != nil {
		return done, err
	}
	for _, where := range allSecrets {
		n, err := s.sealAnew(ctx, *to, where)
		done.Sealed += n
		if err != nil {
			return done, err
		}
	}
	for _, where := range allSecrets {
		n, err := s.verify(ctx, *to, where)
		done.Secrets += n
		if err != nil {
			return done, err
		}
	}
	done.Ended, err = s.retireKeys(ctx, *to)
	return done, err
}

// update runs fn in a transaction of the store's own.
func (s *Store) update(ctx context.Context, fn func(*transaction) error) error {
	return s.Update(ctx, func(tx lifecycle.Tx) error { return fn(tx.(*transaction)) }) //nolint:forcetypeassert // Update makes no other.
}

// view does so in one that reads.
func (s *Store) view(ctx context.Context, fn func(*transaction) error) error {
	return s.View(ctx, func(tx lifecycle.Tx) error { return fn(tx.(*transaction)) }) //nolint:forcetypeassert // View makes no other.
}

// useKey has the store seal with the key, and reports whether it sealed with another one.
func (s *Store) useKey(ctx context.Context, to sealingKey) (replaced bool, err error) {
	err = s.update(ctx, func(t *transaction) error {
		replaced = false
		checks, err := many(ctx, t, scanKeyCheck, `SELECT id, sealed, state FROM key_checks ORDER BY id`+t.store.engine.keyLock())
		if err != nil {
			return err
		}
		if err := s.keyring().check(checks); err != nil { // it may have been rotated since
			return err
		}
		known := ""
		for _, c := range checks {
			if k := s.keyring().of(c); k != nil && k.id == to.id {
				known = c.id
			}
		}
		var before string
		for _, c := range checks {
			if c.state != keyInUse {
				continue
			}
			if c.id == known {
				return nil
			}
			before = s.keyring().of(c).id
		}
		if err := t.lacksNobody(ctx, to.id); err != nil {
			return err
		}
		replaced = true
		if _, err := t.exec(ctx, blame{}, `UPDATE key_checks SET state = ? WHERE state = ?`, keyReplaced, keyInUse); err != nil {
			return err
		}
		if known != "" {
			_, err = t.exec(ctx, blame{}, `UPDATE key_checks SET state = ? WHERE id = ?`, keyInUse, known)
		} else {
			_, err = t.exec(ctx, blame{}, `INSERT INTO key_checks (id, sealed, state) VALUES (?, ?, ?)`, to.id, to.text(to.id), keyInUse)
		}
		if err != nil {
			return err
		}
		return t.tellAll(ctx, actionRotate, to.id, map[string]any{"from": before, "to": to.id})
	})
	return replaced, err
}

// lacksNobody refuses a key that a live process on the store does not have.
func (t *transaction) lacksNobody(ctx context.Context, keyID string) error {
	all, err := t.allGateways(ctx)
	if err != nil {
		return err
	}
	without, err := many(ctx, t, scanText, `SELECT id FROM gateways WHERE ' ' || key_ids || ' ' NOT LIKE ?`, "% "+keyID+" %")
	if err != nil {
		return err
	}
	var names []string
	for _, g := range all {
		if !g.Dead() && slices.Contains(without, g.ID) {
			names = append(names, fmt.Sprintf("%s (%s)", g.Name, strings.Join(g.Addresses, ", ")))
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("the key %s is not known yet to %s: add it to the key file of each, send each SIGHUP or start it again, and repeat this", keyID, strings.Join(names, "; "))
	}
	return nil
}

// tellAll writes an event into the trail of every workspace: the key is that of all.
func (t *transaction) tellAll(ctx context.Context, action, keyID string, detail map[string]any) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	workspaces, err := many(ctx, t, scanText, `SELECT id FROM workspaces WHERE removed_at IS NULL ORDER BY id`)
	if err != nil {
		return err
	}
	at := time.Now()
	for _, id := range workspaces {
		e := service.Event{WorkspaceID: id, At: at, ActorName: service.ItselfName, Action: action, ThingID: keyID, ThingName: "encryption key", Detail: text}
		if err := t.AppendEvent(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// sealedSecret is one that was read.
type sealedSecret struct {
	id     string
	number int64
	sealed string
}

// page reads sealed secrets after one, in the order of their key. others keeps those that
// the key has not sealed; it may be one that a store was made with.
func (t *transaction) page(ctx context.Context, where secrets, c condition, after sealedSecret) ([]sealedSecret, error) {
	c = c.and(where.column + " <> ''")
	columns := where.key[0] + ", 0"
	if len(where.key) > 1 {
		columns = strings.Join(where.key, ", ")
		c = c.and("("+columns+") > (?, ?)", after.id, after.number)
	} else {
		c = c.and(where.key[0]+" > ?", after.id)
	}
	scan := func(r row) (v sealedSecret, err error) { return v, r.Scan(&v.id, &v.number, &v.sealed) }
	return many(ctx, t, scan, `SELECT `+columns+`, `+where.column+` FROM `+where.table+c.where()+
		` ORDER BY `+strings.Join(where.key, ", ")+` LIMIT ?`, append(c.args, int64(sealedAtATime))...)
}

// sealedByOthers keeps what another key than the one in use has sealed.
func (where secrets) sealedByOthers(in sealer) condition {
	if in.name == "" {
		return condition{}.and(where.column+" LIKE ?", "%"+keySeparator+"%")
	}
	return condition{}.and(where.column+" NOT LIKE ?", in.name+keySeparator+"%")
}

// sealAnew seals with the key what others have sealed, and returns how many those were.
func (s *Store) sealAnew(ctx context.Context, to sealingKey, where secrets) (sealed int, err error) {
	var last sealedSecret
	for {
		var page []sealedSecret
		n := 0
		err := s.update(ctx, func(t *transaction) error {
			n = 0
			in, err := t.sealingWith(ctx, to)
			if err != nil {
				return err
			}
			if page, err = t.page(ctx, where, where.sealedByOthers(in), last); err != nil {
				return err
			}
			for _, v := range page {
				changed, err := t.sealOneAnew(ctx, in, where, v)
				if err != nil {
					return err
				}
				n += changed
			}
			return nil
		})
		if err != nil {
			return sealed, err
		}
		sealed += n
		if len(page) < sealedAtATime {
			return sealed, nil
		}
		last = page[len(page)-1]
	}
}

// sealingWith is sealing, where another rotation may have put another key to use.
func (t *transaction) sealingWith(ctx context.Context, to sealingKey) (sealer, error) {
	in, err := t.sealing(ctx)
	if err == nil && in.id != to.id {
		err = fmt.Errorf("another rotation has put the key %s to use meanwhile: nothing more was changed", in.id)
	}
	return in, err
}

// sealOneAnew seals one secret where it is what was read: another request may have set or
// removed it meanwhile, and sealed it with the new key then.
func (t *transaction) sealOneAnew(ctx context.Context, in sealer, where secrets, v sealedSecret) (changed int, err error) {
	record := where.record(v.id, v.number)
	secret, err := t.store.keyring().open(v.sealed, record)
	if err != nil {
		return 0, err
	}
	anew := in.close(secret, record)
	if again, err := (keyring{in.sealingKey}).open(anew, record); err != nil || again != secret {
		return 0, fmt.Errorf("the secret of record %s does not come back from its new encryption", record)
	}
	c := condition{}.and(where.column+" = ?", v.sealed).and(where.key[0]+" = ?", v.id)
	if len(where.key) > 1 {
		c = c.and(where.key[1]+" = ?", v.number)
	}
	n, err := t.exec(ctx, blame{}, `UPDATE `+where.table+` SET `+where.column+` = ?`+c.where(), append([]any{anew}, c.args...)...)
	return int(n), err
}

// verify decrypts all secrets of a kind with the key alone, and counts them.
func (s *Store) verify(ctx context.Context, to sealingKey, where secrets) (n int, err error) {
	var last sealedSecret
	for {
		var page []sealedSecret
		err := s.view(ctx, func(t *transaction) (err error) {
			page, err = t.page(ctx, where, condition{}, last)
			return err
		})
		if err != nil {
			return n, err
		}
		for _, v := range page {
			if _, err := (keyring{to}).open(v.sealed, where.record(v.id, v.number)); err != nil {
				return n, fmt.Errorf("%s.%s: %w", where.table, where.column, err)
			}
		}
		n += len(page)
		if len(page) < sealedAtATime {
			return n, nil
		}
		last = page[len(page)-1]
	}
}

// retireKeys gives up all other keys, where nothing is sealed with them. It reports whether
// there were any.
func (s *Store) retireKeys(ctx context.Context, to sealingKey) (ended bool, err error) {
	err = s.update(ctx, func(t *transaction) error {
		ended = false
		checks, err := many(ctx, t, scanKeyCheck, `SELECT id, sealed, state FROM key_checks ORDER BY id`+t.store.engine.keyLock())
		if err != nil {
			return err
		}
		in, err := t.sealingWith(ctx, to)
		if err != nil {
			return err
		}
		for _, where := range allSecrets {
			left, err := t.exists(ctx, `SELECT 1 FROM `+where.table+where.sealedByOthers(in).and(where.column+" <> ''").where(), where.sealedByOthers(in).args...)
			if err != nil {
				return err
			}
			if left {
				return fmt.Errorf("a secret in %s is still encrypted with another key: run this again", where.table)
			}
		}
		var replaced []string
		for _, c := range checks {
			if c.state == keyReplaced {
				replaced = append(replaced, s.keyring().of(c).id)
			}
		}
		if len(replaced) == 0 {
			return nil
		}
		ended = true
		if _, err := t.exec(ctx, blame{}, `DELETE FROM key_checks WHERE state = ?`, keyReplaced); err != nil {
			return err
		}
		return t.tellAll(ctx, actionRetire, to.id, map[string]any{"keys": replaced})
	})
	return ended, err
}
