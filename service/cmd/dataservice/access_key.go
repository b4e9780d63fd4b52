// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
	"github.com/dataservice/terraform-provider-dataservice/service/cmd/dataservice/remote"
)

// accessKeyCommand makes what members sign with, through clients of cloud vendors. It is a
// client of the running service like any other.
type accessKeyCommand struct {
	Create accessKeyCreateCommand `cmd:"" help:"Make an access key, and print its id and its secret."`
	List   accessKeyListCommand   `cmd:"" help:"List access keys, without their secrets."`
	Delete accessKeyDeleteCommand `cmd:"" help:"Make an access key useless."`
}

type accessKeyCreateCommand struct {
	connectFlags
	remote.Output
	Member      string `help:"Whose access key it is; of whoever calls where absent." placeholder:"NAME"`
	Description string `help:"What the access key is for." placeholder:"TEXT"`
}

// Run prints the id and the secret, with a blank between them, alone on standard output; or the
// access key with it, as JSON.
func (c accessKeyCreateCommand) Run(ctx context.Context, s streams) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	created, err := c.create(ctx, api)
	if err != nil {
		return err
	}
	if c.JSON() {
		return remote.WriteJSON(s.remote(), created)
	}
	fmt.Fprintf(s.err, "Access key %s of %s. Its secret is printed this once.\n", created.ID, created.MemberName)
	_, err = fmt.Fprintln(s.out, created.ID, created.Secret)
	return err
}

// create makes the access key. Where the answer was lost on the way, its repetition has no
// secret: that access key is deleted and another one made.
func (c accessKeyCreateCommand) create(ctx context.Context, api *client.Client) (service.CreatedAccessKey, error) {
	const attempts = 3
	for range attempts {
		created, err := api.CreateAccessKey(ctx, service.AccessKeyInput{Member: c.Member, Description: c.Description})
		if err != nil || created.Secret != "" {
			return created, err
		}
		if err := api.DeleteAccessKey(ctx, created.ID); err != nil {
			return created, err
		}
	}
	return service.CreatedAccessKey{}, failed(nil, "The service made an access key, but its secret was lost on the way several times. Check the network, and try again.")
}

type accessKeyListCommand struct {
	connectFlags
	remote.Output
}

// Run prints a table, or JSON.
func (c accessKeyListCommand) Run(ctx context.Context, s streams) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	keys, err := client.All(ctx, api.AccessKeys)
	if err != nil {
		return err
	}
	if c.JSON() {
		return remote.WriteJSON(s.remote(), append([]service.AccessKey{}, keys...))
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tMEMBER\tCREATED\tDESCRIPTION")
	for _, k := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", k.ID, k.MemberName, k.CreatedAt.UTC().Format(time.RFC3339), k.Description)
	}
	return table.Flush()
}

type accessKeyDeleteCommand struct {
	connectFlags
	ID string `arg:"" help:"Id of the access key, as list and create tell it."`
}

// Run deletes the access key.
func (c accessKeyDeleteCommand) Run(ctx context.Context, s streams) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	if err := api.DeleteAccessKey(ctx, c.ID); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.err, "Access key %s is deleted.\n", c.ID)
	return err
}
