// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package acceptance holds the tests of both programs together: the real terraform
// (or tofu) runs the real provider against a real service process, and one of them
// is killed, interrupted or searched for secrets.
package acceptance

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

// startService starts a service with numbers.db, a table numbers (n) with 1 to 100.
func startService(t testing.TB, flags ...string) *servicetest.Service {
	t.Helper()
	s := servicetest.Start(t, flags...)
	s.Database("numbers.db", `CREATE TABLE numbers (n INTEGER PRIMARY KEY);
		WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) INSERT INTO numbers SELECT n FROM c`)
	return s
}

// workdir returns a directory with that configuration for the identity with that token.
func workdir(s *servicetest.Service, token, config string) *servicetest.Workdir {
	w := s.Workdir(token)
	w.Write("main.tf", config)
	return w
}

// all lists every item of a list call.
func all[T any](t testing.TB, list func(context.Context, client.Page) (service.List[T], error)) []T {
	t.Helper()
	items, err := client.All(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func apisOf(c *client.Client) func(context.Context, client.Page) (service.List[service.API], error) {
	return func(ctx context.Context, page client.Page) (service.List[service.API], error) {
		return c.APIs(ctx, client.APIFilter{}, page)
	}
}

func publicationsOf(c *client.Client) func(context.Context, client.Page) (service.List[service.Publication], error) {
	return func(ctx context.Context, page client.Page) (service.List[service.Publication], error) {
		return c.Publications(ctx, client.PublicationFilter{}, page)
	}
}

func reviewsOf(c *client.Client) func(context.Context, client.Page) (service.List[service.Review], error) {
	return func(ctx context.Context, page client.Page) (service.List[service.Review], error) {
		return c.Reviews(ctx, client.ReviewFilter{}, page)
	}
}

// kills is how many processes each crash test kills: 20 find a fault that is not
// rare and keep the tests short; DATASERVICE_TEST_KILLS=100 looks longer.
func kills(t testing.TB) int {
	t.Helper()
	s := os.Getenv("DATASERVICE_TEST_KILLS")
	if s == "" {
		return 20
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("DATASERVICE_TEST_KILLS=%q is not a number of kills", s)
	}
	return n
}

// pluginsOf finds the provider processes that a CLI process has started.
func pluginsOf(t *testing.T, cli int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("this system has no /proc to find the plugin's process in")
	}
	var pids []int
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		// pid (name) state ppid …
		_, rest, found := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		if !found || len(fields) < 2 || fields[1] != strconv.Itoa(cli) {
			continue
		}
		if strings.Contains(string(data), "(terraform-prov") {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// killPlugins kills the provider processes of a running CLI and tells how many there were.
func killPlugins(t *testing.T, cli int) int {
	t.Helper()
	killed := 0
	for _, pid := range pluginsOf(t, cli) {
		if p, err := os.FindProcess(pid); err == nil && p.Kill() == nil {
			killed++
		}
	}
	return killed
}
