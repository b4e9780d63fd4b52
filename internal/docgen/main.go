// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command docgen writes what the documentation takes from the code: the schema of
// the provider for tfplugindocs, the OpenAPI document, the schema of the file of settings, and
// the tables in the guides.
// It runs nothing but this module's code, so that the result depends on nothing
// else, such as the Terraform that happens to be installed. `make generate` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dataservice/terraform-provider-dataservice/internal/measured"
)

func main() {
	schema := flag.String("schema", "", "`file` for the provider's schema, as `terraform providers schema -json` prints it")
	openAPI := flag.String("openapi", filepath.Join("docs", "openapi.json"), "`file` for the OpenAPI document")
	guides := flag.String("guides", filepath.Join("templates", "guides"), "`folder` of the guides whose tables are written")
	keep := flag.String("promise", "", "`file` for what users of this version may rely on, as is written for a release")
	flag.Parse()
	if *keep != "" {
		if err := writePromise(context.Background(), *keep); err != nil {
			fmt.Fprintf(os.Stderr, "docgen: %v\n", err)
			os.Exit(1)
		}
		return
	}
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
	settings, err := settingsTable()
	if err != nil {
		return fmt.Errorf("the settings of the service: %w", err)
	}
	for file, command := range map[string]string{"config.schema.json": "schema", "dataservice.example.yaml": "example"} {
		text, err := ofProgram(ctx, "config", command)
		if err != nil {
			return fmt.Errorf("the settings of the service: %w", err)
		}
		if err := writeFile(filepath.Join("deploy", file), text); err != nil {
			return err
		}
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
		{filepath.Join(guides, "architecture.md.tmpl"), "lifecycle picture", lifecyclePicture()},
		{filepath.Join(guides, "lifecycle.md.tmpl"), "permissions", permissionTable()},
		{filepath.Join(guides, "lifecycle.md.tmpl"), "desired status table", desiredStatuses},
		{filepath.Join(guides, "tested.md.tmpl"), "tested", provider.testedTable()},
		{filepath.Join(guides, "versions.md.tmpl"), "breaking changes", breakingTable()},
		{filepath.Join(guides, "versions.md.tmpl"), "harmless changes", harmlessList()},
		{filepath.Join(guides, "api-fields.md.tmpl"), "number codes", numberCodes()},
		{filepath.Join(guides, "gateway-answers.md.tmpl"), "error table", gatewayErrors()},
		{filepath.Join(guides, "observing.md.tmpl"), "access log fields", accessLogFields()},
		{filepath.Join(guides, "native-api.md.tmpl"), "operations", document.operations()},
		{filepath.Join(guides, "native-api.md.tmpl"), "codes", codes},
		{filepath.Join(guides, "troubleshooting.md.tmpl"), "codes", trouble},
		{"README.md", "flags", flags},
		{filepath.Join(guides, "configuration.md.tmpl"), "settings", settings},
		{filepath.Join(guides, "running-more-than-one.md.tmpl"), "gateway flags", ofGateway},
	} {
		if err := insert(t.page, t.name, t.text); err != nil {
			return err
		}
	}
	for _, p := range measured.Parts() {
		if err := insert(filepath.Join(guides, "metrics.md.tmpl"), "metrics: "+p.Name, metrics(p)); err != nil {
			return err
		}
	}
	return nil
}

// writePromise writes what the tests of later versions are held against.
func writePromise(ctx context.Context, file string) error {
	p, err := currentSurface(ctx)
	if err != nil {
		return err
	}
	return writeFile(file, p.text())
}

func currentSurface(ctx context.Context) (surface, error) {
	provider, err := providerSchema(ctx)
	if err != nil {
		return nil, fmt.Errorf("the provider's schema: %w", err)
	}
	document, err := openAPIDocument(ctx)
	if err != nil {
		return nil, fmt.Errorf("the OpenAPI document: %w", err)
	}
	return promised(provider, document)
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // documentation is public
		return err
	}
	return os.WriteFile(path, text, 0o644) //nolint:gosec // as above
}
