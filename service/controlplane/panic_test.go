// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

func TestAPanicIsAProblemThatTellsNothingOfItself(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	handler := withRequestID(accessLog(logger, nil)(recoverPanics(logger)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("the inside")
	}))))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil))
	var p service.Problem
	if err := json.Unmarshal(recorder.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if recorder.Code != http.StatusInternalServerError || p.Code != service.CodeInternal || p.RequestID == "" || strings.Contains(recorder.Body.String(), "inside") {
		t.Errorf("%d: %s", recorder.Code, recorder.Body)
	}
}

func TestAPanicOfAFaceIsAnsweredAsTheFaceSays(t *testing.T) {
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	a := &api{limits: &limits{}}
	answer := wire.AnswerPanics(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("its own shape"))
	})
	handler := withRequestID(accessLog(logger, nil)(recoverPanics(logger)(a.asFace(answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun" {
			_, _ = w.Write([]byte("begun"))
		}
		panic("the inside")
	}))))))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil))
	if recorder.Code != http.StatusBadGateway || recorder.Body.String() != "its own shape" || !strings.Contains(log.String(), `"code":"INTERNAL"`) || !strings.Contains(log.String(), `"error":"panic: the inside"`) {
		t.Errorf("%d: %s\n%s", recorder.Code, recorder.Body, &log)
	}
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // it is compared like this by net/http.
			t.Error("an answer that has begun is not cut off")
		}
	}()
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/begun", nil))
}

func TestTheLogTellsOfItemsOfAFaceThatWereRefused(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		level string
	}{
		"a refusal": {service.Errorf(service.CodeForbidden, "You may not."), "INFO"},
		"a fault":   {errors.New("the disk is full"), "ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			a := &api{limits: &limits{}}
			handler := withRequestID(accessLog(slog.New(slog.NewJSONHandler(&log, nil)), nil)(a.asFace(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				wire.CallOf(r.Context()).NoteItem(test.err)
				wire.CallOf(r.Context()).NoteItem(test.err)
				wire.CallOf(r.Context()).Note("face.Batch", nil)
			}))))
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
			if line := log.String(); !strings.Contains(line, `"level":"`+test.level+`"`) || !strings.Contains(line, `"refused_items":2`) || strings.Contains(line, `"code"`) ||
				strings.Contains(line, "the disk is full") != (test.level == "ERROR") {
				t.Errorf("the line is %s", line)
			}
		})
	}
}

func TestTheLogTellsOfAFaultInAPartOfAnAnsweredCall(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"a refused item is no news":  {service.Errorf(service.CodeNotDebugged, "The revision was not debugged."), `"level":"INFO","msg":"call"`},
		"a fault is, with its cause": {errors.New("the disk is full"), `"level":"ERROR","msg":"call"`},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			handler := withRequestID(accessLog(slog.New(slog.NewJSONHandler(&log, nil)), nil)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = json.NewEncoder(w).Encode(problemOfItem(r.Context(), test.err))
			})))
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
			if line := log.String(); !strings.Contains(line, test.want) || strings.Contains(line, `"code"`) ||
				strings.Contains(line, "the disk is full") != (service.ErrorCode(test.err) != service.CodeNotDebugged) {
				t.Errorf("the line is %s", line)
			}
		})
	}
}

func TestEveryCodeHasAnHTTPStatus(t *testing.T) {
	for _, code := range service.Codes {
		if statuses[code] == 0 {
			t.Errorf("%s has none", code)
		}
	}
	for code := range retryAfter {
		if statuses[code] == 0 {
			t.Errorf("%s asks for another try but is no code", code)
		}
	}
}
