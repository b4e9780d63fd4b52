// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// applied is the number of APIs that one apply publishes.
const applied = 1000

// module is the provider's own package, whose last element is the name of the plugin.
const module = "github.com/dataservice/terraform-provider-dataservice"

// applyOrder holds the parallelism of each apply. It turns, so that what the machine does
// beside them meets both.
var applyOrder = []int{10, 50, 50, 10}

// publishInOneApply publishes many APIs into one instance with one `terraform apply`, with
// little and with much parallelism. Each apply publishes them to an environment of its own.
func (b *bench) publishInOneApply(ctx context.Context, name string) error {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		return &leftOutError{fmt.Errorf("no terraform in the PATH: %w", err)}
	}
	if _, err := build(ctx, b.dir, module); err != nil {
		return err
	}
	dsn, err := b.database(ctx, "sqlite")
	if err != nil {
		return err
	}
	o, err := b.startOurs(ctx, "applies")
	if err != nil {
		return err
	}
	defer o.stop()
	apis, err := o.createMany(ctx, dsn, applied)
	if err != nil {
		return err
	}
	took := map[int][]time.Duration{}
	for i, parallelism := range applyOrder {
		d, err := b.applyPublications(ctx, terraform, o, "RUN_"+strconv.Itoa(i), apis, parallelism)
		if err != nil {
			return err
		}
		took[parallelism] = append(took[parallelism], d)
	}
	fmt.Printf("\n%s: %d APIs published into one instance by one terraform apply\n", name, applied)
	var rates []float64
	for _, parallelism := range []int{10, 50} {
		slices.Sort(took[parallelism])
		d := took[parallelism][len(took[parallelism])/2]
		rates = append(rates, applied/d.Seconds())
		fmt.Printf("  -parallelism=%d: %.1f s, %.0f publishes/s (of %v)\n", parallelism, d.Seconds(), applied/d.Seconds(), took[parallelism])
	}
	fmt.Printf("RATIO %s %.2f\n", name, rates[1]/rates[0])
	return nil
}

// createMany makes n APIs that are published nowhere, and returns their ids.
func (o *ours) createMany(ctx context.Context, dsn string, n int) ([]string, error) {
	connectionID, err := o.connection(ctx, "sqlite", dsn)
	if err != nil {
		return nil, err
	}
	ids := make([]string, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(publishers)
	for i := range ids {
		group.Go(func() error {
			d := rowDefinition(connectionID)
			d.Path = "/bench/apply/" + strconv.Itoa(i)
			api, err := o.create(ctx, "apply_"+strconv.Itoa(i), d, map[string]string{"id": "1"})
			ids[i] = api.ID
			return err
		})
	}
	return ids, group.Wait()
}

// applyPublications publishes the APIs to a new environment of that name, and returns how
// long the apply took.
func (b *bench) applyPublications(ctx context.Context, terraform string, o *ours, environment string, apis []string, parallelism int) (time.Duration, error) {
	noReview := false
	e, err := o.client.CreateEnvironment(ctx, service.EnvironmentInput{Name: environment, ReviewRequired: &noReview})
	if err != nil {
		return 0, err
	}
	dir := filepath.Join(b.dir, environment)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	for file, text := range map[string]string{
		"main.tf":      publicationsOf(e.ID, apis),
		"terraform.rc": fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"dataservice/dataservice\" = %q\n  }\n  direct {}\n}\n", b.dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			return 0, err
		}
	}
	apply := exec.CommandContext(ctx, terraform, "apply", "-auto-approve", "-input=false", "-no-color", "-parallelism="+strconv.Itoa(parallelism))
	apply.Dir = dir
	apply.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraform.rc"), "CHECKPOINT_DISABLE=1",
		"DATASERVICE_ENDPOINT="+o.client.Endpoint(), "DATASERVICE_TOKEN="+o.token)
	before, _ := o.cpu()
	start := time.Now()
	out, err := apply.CombinedOutput()
	took := time.Since(start)
	if want := fmt.Sprintf("%d added", len(apis)); err != nil || !strings.Contains(string(out), want) {
		return 0, fmt.Errorf("terraform apply: %w\n%s", err, out[max(0, len(out)-2000):])
	}
	// The provider is a child of terraform and counted with it.
	spent := apply.ProcessState.UserTime() + apply.ProcessState.SystemTime()
	fmt.Printf("  -parallelism=%d took %.1f s; processor time: %.1f s of terraform and the provider", parallelism, took.Seconds(), spent.Seconds())
	if after, ok := o.cpu(); ok {
		fmt.Printf(", %.1f s of the service", (after - before).Seconds())
	}
	fmt.Println()
	return took, nil
}

// publicationsOf is a configuration that publishes the first revision of each API.
func publicationsOf(environmentID string, apis []string) string {
	return fmt.Sprintf(`terraform {
  required_providers {
    dataservice = {
      source = "dataservice/dataservice"
    }
  }
}

resource "dataservice_publication" "all" {
  for_each       = toset(["%s"])
  api_id         = each.key
  api_revision   = 1
  environment_id = %q
}
`, strings.Join(apis, `", "`), environmentID)
}
