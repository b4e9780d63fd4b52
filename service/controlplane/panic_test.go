// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestAPanicIsAProblemThatTellsNothingOfItself(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	handler := withRequestID(accessLog(logger)(recoverPanics(logger)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
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
