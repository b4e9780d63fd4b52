// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// cramped is a service on SQLite whose disk is small enough to fill it.
type cramped struct {
	*servicetest.Service
	t    testing.TB
	disk string
	c    *client.Client
	// made are the groups whose creation was acknowledged, and maybe those of which nobody
	// was told.
	made, maybe map[string]bool
	number      int
}

const diskBytes = 24 << 20

// startCramped mounts a small disk and starts a service on it.
func startCramped(t testing.TB) *cramped {
	t.Helper()
	s := &cramped{t: t, disk: t.TempDir(), made: map[string]bool{}, maybe: map[string]bool{}}
	if err := syscall.Mount("none", s.disk, "tmpfs", 0, fmt.Sprintf("size=%d", diskBytes)); err != nil {
		t.Fatalf("cannot mount a small disk to fill it: %v; that takes root", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(s.disk, 0); err != nil {
			t.Error(err)
		}
	})
	s.Service = servicetest.StartIn(t, s.disk, "--log-level", "error")
	var err error
	if s.c, err = client.New(client.Config{Endpoint: s.ControlPlane, Token: s.AdminToken(), RequestTimeout: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	return s
}

// fill fills the disk while groups are made, kills the service on it or not, makes room
// again, and checks that exactly what was acknowledged is there. It returns how many
// creations failed for want of room.
func (s *cramped) fill(ctx context.Context, killed bool) (failed int, wrong []string) {
	ballast := filepath.Join(s.disk, "ballast")
	create := func() error {
		s.number++
		name := fmt.Sprintf("group_%d", s.number)
		_, err := s.c.CreateGroup(ctx, service.GroupInput{GroupSpec: service.GroupSpec{Name: name, Description: strings.Repeat("fills the disk ", 100)}})
		var answer *client.Error
		switch {
		case err == nil:
			s.made[name] = true
		case errors.As(err, &answer) && answer.Problem != nil && answer.Status < 500:
			wrong = append(wrong, fmt.Sprintf("a full disk is the caller's fault: %v", err))
		default:
			s.maybe[name] = true
		}
		return err
	}
	for range 5 {
		if err := create(); err != nil {
			wrong = append(wrong, fmt.Sprintf("with room on the disk: %v", err))
		}
	}
	if err := fillDisk(ballast); err != nil {
		wrong = append(wrong, err.Error())
	}
	for range 40 {
		if create() != nil {
			failed++
		}
	}
	if status, body := s.Call("/nothing"); status != 404 {
		wrong = append(wrong, fmt.Sprintf("on a full disk the gateway answers %d %s", status, body))
	}
	if killed {
		s.Kill()
	}
	if err := os.Remove(ballast); err != nil {
		wrong = append(wrong, err.Error())
	}
	if killed {
		s.Start()
	}
	if err := create(); err != nil {
		wrong = append(wrong, fmt.Sprintf("when there is room again: %v", err))
	}
	return failed, append(wrong, s.check(ctx)...)
}

// check compares what is there with what was acknowledged, and makes room for more.
func (s *cramped) check(ctx context.Context) (wrong []string) {
	there := map[string]service.Group{}
	for page := (client.Page{Limit: 100}); ; {
		l, err := s.c.Groups(ctx, page)
		if err != nil {
			return []string{fmt.Sprintf("the groups cannot be listed: %v", err)}
		}
		for _, g := range l.Items {
			there[g.Name] = g
		}
		if page.After = l.Next; l.Next == "" {
			break
		}
	}
	for name := range s.made {
		if _, found := there[name]; !found {
			wrong = append(wrong, fmt.Sprintf("%s was acknowledged and is lost", name))
		}
	}
	for name, g := range there {
		if !s.made[name] && !s.maybe[name] {
			wrong = append(wrong, fmt.Sprintf("%s is there, and nobody made it", name))
		}
		if err := s.c.DeleteGroup(ctx, g.ID); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s cannot be deleted: %v", name, err))
		}
	}
	clear(s.made)
	clear(s.maybe)
	if report, err := s.c.VerifyEvents(ctx); err != nil || !report.Intact {
		wrong = append(wrong, fmt.Sprintf("the audit trail is broken: %+v (%v)", report, err))
	}
	return wrong
}

// fillDisk writes until there is no room for one more block.
func fillDisk(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size >= 4096; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
				break
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}
