// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package turnstile

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallsTakeTheirTurnsInTheOrderOfTheirComing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCalls("call", 2, time.Minute)
		first, ok := c.Enter(t.Context())
		second, also := c.Enter(t.Context())
		if !ok || !also {
			t.Fatal("there is room for two")
		}
		came := make(chan int, 2)
		for i := range 2 {
			go func() {
				if _, ok := c.Enter(t.Context()); ok {
					came <- i
				}
			}()
			synctest.Wait()
		}
		if _, ok := c.Enter(t.Context()); ok || c.shed.Load() != 1 {
			t.Errorf("a fifth has a turn: %v, shed %d", ok, c.shed.Load())
		}
		first()
		if got := <-came; got != 0 {
			t.Errorf("number %d came first", got)
		}
		second()
		if got := <-came; got != 1 {
			t.Errorf("number %d came second", got)
		}
		if got := c.UnderWay(); got != 2 {
			t.Errorf("%d are under way", got)
		}
	})
}

func TestWhoGivesUpKeepsNobodyFromATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCalls("call", 1, time.Second)
		leave, _ := c.Enter(t.Context())
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, ok := c.Enter(gone); ok {
			t.Error("who has gone has a turn")
		}
		if _, ok := c.Enter(t.Context()); ok {
			t.Error("there was a turn within a second")
		}
		leave()
		if _, ok := c.Enter(t.Context()); !ok {
			t.Error("there is no turn for the next one")
		}
	})
}

func TestABoundOfCallsIsMovedWhileCallsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCalls("call", 1, time.Minute)
		first, _ := c.Enter(t.Context())
		came := make(chan func(), 1)
		go func() {
			leave, _ := c.Enter(t.Context())
			came <- leave
		}()
		synctest.Wait()
		c.SetMost(2)
		second := <-came
		c.SetMost(1)
		second()
		go func() {
			leave, _ := c.Enter(t.Context())
			came <- leave
		}()
		synctest.Wait()
		if len(came) != 0 {
			t.Error("a lower bound lets a second call in")
		}
		first()
		if leave := <-came; leave == nil {
			t.Error("there is no turn once the first has left")
		}
		if got := c.Most(); got != 1 {
			t.Errorf("the bound is %d", got)
		}
	})
}
