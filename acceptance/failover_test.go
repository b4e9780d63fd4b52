// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// Two services and a gateway name both servers. The primary crashes while publications are
// made, and its synchronous standby takes its place.
func TestNothingAcknowledgedIsLostWhenAStandbyTakesThePlaceOfTheDatabase(t *testing.T) {
	t.Parallel()
	primary := pgtest.StartServer(t)
	standby := primary.StartStandby()
	f := &fleet{dsn: fmt.Sprintf("postgres://postgres@%s,%s/store?sslmode=disable&target_session_attrs=read-write", primary.Address, standby.Address)}
	f.Service = startService(t, "--store", f.dsn)
	f.others = []*servicetest.Service{servicetest.StartReplica(t, f.Service, "--store", f.dsn), servicetest.StartGateway(t, f.Service, "--store", f.dsn)}
	f.rev = f.Client(f.Developer("rev", true))
	var err error
	f.conn, err = f.rev.CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"}})
	if err != nil {
		t.Fatal(err)
	}
	f.publish(t, f.api(t, "before", service.AuthNone))

	// A gateway may read from the standby. It looks for changes, since nobody tells it of them there.
	reader := servicetest.StartGateway(t, f.Service, "--store", standby.DSN())
	servicetest.Eventually(t, time.Minute, "the gateway at the standby serves what is published", func() bool {
		status, _ := reader.Call("/before")
		return status == http.StatusOK
	})
	f.publish(t, f.api(t, "during", service.AuthNone))
	servicetest.Eventually(t, time.Minute, "it follows", func() bool {
		status, _ := reader.Call("/during")
		return status == http.StatusOK
	})

	if _, said := probe(t, reader); said != "stale" {
		t.Errorf("/readyz of the gateway at the standby says %s, want stale: nobody can wait for it", said)
	}

	// Both services make groups all the while, each group once; what fails is not repeated.
	var (
		mu           sync.Mutex
		acknowledged = map[string]bool{}
		refused      int
		fell         = make(chan struct{})
		working      sync.WaitGroup
	)
	for i, s := range f.all()[:2] {
		c, err := client.New(client.Config{Endpoint: s.ControlPlane, Token: f.AdminToken()})
		if err != nil {
			t.Fatal(err)
		}
		working.Go(func() {
			for n, after := 0, 0; after < 5; n++ {
				name := fmt.Sprintf("group_%d_%d", i, n)
				_, err := c.CreateGroup(t.Context(), service.GroupInput{GroupSpec: service.GroupSpec{Name: name}})
				mu.Lock()
				acknowledged[name] = err == nil
				if err != nil {
					refused++
				}
				mu.Unlock()
				select {
				case <-fell:
					if err == nil {
						after++ // the standby has taken over for this service
					}
				default:
				}
			}
		})
	}
	servicetest.Eventually(t, time.Minute, "changes are made", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged) > 20
	})
	primary.Stop(syscall.SIGQUIT)
	for _, s := range f.all() {
		if status, body := s.Call("/before"); status != http.StatusOK {
			t.Errorf("without its database a gateway answers %d %s", status, body)
		}
	}
	standby.Promote()
	close(fell)
	working.Wait()

	made := map[string]int{}
	for p := (client.Page{Limit: 100}); ; {
		list, err := f.rev.Groups(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range list.Items {
			made[g.Name]++
		}
		if p.After = list.Next; p.After == "" {
			break
		}
	}
	lost := 0
	for name, yes := range acknowledged {
		if yes && made[name] != 1 {
			lost++
			t.Errorf("%s was acknowledged, and is there %d times", name, made[name])
		}
	}
	t.Logf("%d changes, %d of them refused, %d lost", len(acknowledged), refused, lost)
	if refused == 0 {
		t.Error("no change was refused: nobody noticed the crash, which proves nothing")
	}
	if p := f.publish(t, f.api(t, "after", service.AuthNone)); len(p.LaggingGateways) > 0 {
		t.Errorf("not all serve it: %v", p.LaggingGateways)
	}
	wantEverywhere(t, f.all(), "/after", http.StatusOK)
	wantEverywhere(t, f.all(), "/during", http.StatusOK)
}
