// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command docgen writes what the documentation takes from the code: the schema of
// the provider for tfplugindocs, the OpenAPI document, and the tables in the guides.
// It runs nothing but this module's code, so that the result depends on nothing
// else, such as the Terraform that happens to be installed. `make generate` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	schema := flag.String("schema", "", "`file` for the provider's schema, as `terraform providers schema -json` prints it")
	openAPI := flag.String("openapi", filepath.Join("docs", "openapi.json"), "`file` for the OpenAPI document")
	guides := flag.String("guides", filepath.Join("templates", "guides"), "`folder` of the guides whose tables are written")
	flag.Parse()
	if err := generate(context.Background(), *schema, *openAPI, *guides); err != nil {
		fmt.Fprintf(os.Stderr, "docgen: %v\n", err)
		os.Exit(1)
	}
}

func generate(ctx context.Context, schemaFile, openAPIFile, guides string) error {
	provider, err := providerSchema(ctx)
	if err != nil {
		return fmt.Errorf("the provider's schema: %w", err)
	}
	if schemaFile != "" {
		text, err := provider.json()
		if err != nil {
			return err
		}
		if err := writeFile(schemaFile, text); err != nil {
			return err
		}
	}
	document, err := openAPIDocument(ctx)
	if err != nil {
		return fmt.Errorf("the OpenAPI document: %w", err)
	}
	if err := writeFile(openAPIFile, document.text); err != nil {
		return err
	}
	flags, err := serveFlags()
	if err != nil {
		return fmt.Errorf("the flags of the service: %w", err)
	}
	ofGateway, err := gatewayFlags()
	if err != nil {
		return fmt.Errorf("the flags of a gateway: %w", err)
	}
	desiredStatuses, err := provider.desiredStatusTable()
	if err != nil {
		return err
	}
	codes, err := document.codes()
	if err != nil {
		return fmt.Errorf("the codes of errors: %w", err)
	}
	trouble, err := troubleTable()
	if err != nil {
		return err
	}
	commands, err := commandReference()
	if err != nil {
		return fmt.Errorf("the commands: %w", err)
	}
	for _, t := range []struct{ page, name, text string }{
		{filepath.Join(guides, "cli.md.tmpl"), "commands", commands},
		{filepath.Join(guides, "cli.md.tmpl"), "exit codes", exitCodes()},
		{filepath.Join(guides, "lifecycle.md.tmpl"), "lifecycle table", lifecycleTable()},
		{filepath.Join(guides, "lifecycle.md.tmpl"), "permissions", permissionTable()},
		{filepath.Join(guides, "lifecycle.md.tmpl"), "desired status table", desiredStatuses},
		{filepath.Join(guides, "tested.md.tmpl"), "tested", provider.testedTable()},
		{filepath.Join(guides, "versions.md.tmpl"), "breaking changes", breakingTable()},
		{filepath.Join(guides, "versions.md.tmpl"), "harmless changes", harmlessList()},
		{filepath.Join(guides, "api-fields.md.tmpl"), "number codes", numberCodes()},
		{filepath.Join(guides, "gateway-answers.md.tmpl"), "error table", gatewayErrors()},
		{filepath.Join(guides, "metrics.md.tmpl"), "metrics", metrics()},
		{filepath.Join(guides, "native-api.md.tmpl"), "operations", document.operations()},
		{filepath.Join(guides, "native-api.md.tmpl"), "codes", codes},
		{filepath.Join(guides, "troubleshooting.md.tmpl"), "codes", trouble},
		{"README.md", "flags", flags},
		{filepath.Join(guides, "running-more-than-one.md.tmpl"), "gateway flags", ofGateway},
	} {
		if err := insert(t.page, t.name, t.text); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // documentation is public
		return err
	}
	return os.WriteFile(path, text, 0o644) //nolint:gosec // as above
}
