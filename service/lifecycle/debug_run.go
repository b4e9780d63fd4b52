// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// debugRunLife is how long it can be read how a test call went.
const debugRunLife = 7 * 24 * time.Hour

// maxDebugRuns is how many test calls that are answered later a process makes at once: who
// starts them waits for none, and would start any number.
const maxDebugRuns = 64

// StartDebug is DebugAPI for somebody who asks for the answer later: it returns as soon as
// the call is noted, which this process then makes. Every process on the store tells how
// it went, also after this one has ended; a call that was under way at that end reads as
// failed once its time is over. What cannot be called at all is refused at once.
func (s *Service) StartDebug(ctx context.Context, c Caller, ref string, in service.DebugInput) (service.DebugRun, error) {
	d, err := s.debuggable(ctx, c, ref, in)
	if err != nil {
		return service.DebugRun{}, err
	}
	select {
	case s.debugRuns <- struct{}{}:
	default:
		return service.DebugRun{}, service.Errorf(service.CodeBusy, "%d test calls are under way already. Try again later.", maxDebugRuns)
	}
	now := s.now()
	run := service.DebugRun{
		ID: service.NewID(now), WorkspaceID: c.Workspace.ID, APIID: d.api.ID, APINumber: d.api.Number, Revision: d.api.Revision,
		StartedBy: c.Member.Name, Status: service.DebugRunning, Input: d.call, CreatedAt: now,
	}
	if err := s.update(ctx, c, func(tx Tx) error { return tx.CreateDebugRun(ctx, &run) }); err != nil {
		<-s.debugRuns
		return service.DebugRun{}, err
	}
	c.IdempotencyKey = ""
	go func() {
		defer func() { <-s.debugRuns }()
		s.finishDebug(context.WithoutCancel(ctx), c, d, run)
	}()
	return run, nil
}

// finishDebug makes the call and stores how it went.
func (s *Service) finishDebug(ctx context.Context, c Caller, d debuggable, run service.DebugRun) {
	ctx, cancel := context.WithTimeout(ctx, service.MaxDebugRun)
	defer cancel()
	result, err := s.debug(ctx, c, d)
	if result.Status != 0 {
		run.Result = &result
	}
	run.Failure = s.debugFailure(ctx, err)
	now := s.now()
	run.Status, run.FinishedAt = service.DebugFinished, &now
	err = s.Store.Update(ctx, func(tx Tx) error { return tx.FinishDebugRun(ctx, run) })
	if err != nil && service.ErrorCode(err) != service.CodeNotFound {
		s.Logger.ErrorContext(ctx, "cannot note how a test call went", "test_call", run.ID, "error", err)
	}
}

// debugFailure is why a test call failed, for whoever made it; "" where it did not.
func (s *Service) debugFailure(ctx context.Context, err error) string {
	var e *service.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e) && e.Code != service.CodeInternal:
		return e.Error()
	case ctx.Err() != nil:
		return "The test call was not answered in time."
	}
	s.Logger.ErrorContext(ctx, "cannot make a test call", "error", err)
	return "The test call could not be made. The service's log says why."
}

// DebugRun returns a test call by its id or number, to who may read the API.
func (s *Service) DebugRun(ctx context.Context, c Caller, ref string) (service.DebugRun, error) {
	var run service.DebugRun
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		if run, err = tx.DebugRun(ctx, c.Workspace.ID, ref); err != nil {
			return err
		}
		if _, err = visibleAPI(ctx, tx, c, run.APIID); service.ErrorCode(err) == service.CodeNotFound {
			return service.NotFound("test call", ref)
		}
		return err
	})
	if err != nil {
		return service.DebugRun{}, err
	}
	return run.At(s.now()), nil
}

// DebugRuns lists the test calls of an API, newest first.
func (s *Service) DebugRuns(ctx context.Context, c Caller, apiRef string, page Page) (service.List[service.DebugRun], error) {
	var l service.List[service.DebugRun]
	err := s.Store.View(ctx, func(tx Tx) error {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		api, err := visibleAPI(ctx, tx, c, apiRef)
		if err != nil {
			return err
		}
		l, err = list(page, func(r service.DebugRun) string { return r.ID }, func(p Page) ([]service.DebugRun, error) {
			return tx.DebugRuns(ctx, c.Workspace.ID, api.ID, p)
		})
		return err
	})
	for i := range l.Items {
		l.Items[i] = l.Items[i].At(s.now())
	}
	return l, err
}
