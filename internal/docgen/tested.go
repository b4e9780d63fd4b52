// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// promise is what is tested of every resource. Its test is that of all resources, or
// one for each.
type promise struct {
	// says is the sentence about it.
	says string
	// test is the test of all resources, but of those in of.
	test string
	// of has what holds instead for some resources.
	of map[string]own
}

// own is the promise of one resource in place of that of all. Its sentence is the same
// where says is "".
type own struct{ says, test string }

// promises are in the order of the table. A test is named by its folder and its function.
var promises = []promise{
	{"It is created, read, updated and destroyed, and a plan right after each is empty", "acceptance.TestEveryResourceSurvivesEveryFault", map[string]own{
		"dataservice_review": {"", "provider.TestADecisionIsMadeOnceAndStands"},
	}},
	{"Imported with the command, and with an `import` block, as its page shows them, it plans empty", "demo.TestTheExampleOfEveryPageIsApplied", nil},
	{"Imported by id, with an `import` block and a generated configuration, it plans empty", "acceptance.TestWhatExistsIsImportedWithAGeneratedConfiguration", map[string]own{
		"dataservice_review": {"Imported by id, or by publication and revision, it plans empty", "provider.TestWhatIsImportedIsADecision"},
	}},
	{"It has an identity, which never changes, and is imported by it", "provider.TestEveryResourceHasAnIdentityAndIsImportedByIt", nil},
	{"`terraform query` lists it, page by page, with filters and a limit", "provider.TestEveryResourceIsListed", nil},
	{"What somebody else changed shows in the plan and is changed back", "acceptance.TestWhatSomebodyElseChangedIsPlannedBack", map[string]own{
		"dataservice_authorization": {"What somebody else revoked is planned anew", "provider.TestAnAuthorizationByAReviewerCountsAtOnceAndIsOnlyExtended"},
		"dataservice_review":        {"What somebody else decided otherwise is a conflict that names them", "provider.TestADecisionIsMadeOnceAndStands"},
	}},
	{"What somebody else removed is planned anew", "acceptance.TestWhatSomebodyElseRemovedIsPlannedAnew", map[string]own{
		"dataservice_review": {"What is pending again is planned anew", "provider.TestWhatIsImportedIsADecision"},
	}},
	{"A plan defers while its inputs are unknown", "provider.TestEveryResourceIsPlannedWhileItsInputsAreUnknown", nil},
	{"After each of 15 faults of the network, the service, the rights and the process, the next apply converges and one of it exists", "acceptance.TestEveryResourceSurvivesEveryFault", map[string]own{
		"dataservice_review": {"Interrupted, or killed, while it waits, it goes on with the next apply", "acceptance.TestAnInterruptedWaitGoesOn"},
	}},
	{"Killed with the plugin, or with the service, in the middle of a create, it is taken over by the next apply", "acceptance.TestThePluginIsKilledInTheMiddleOfEachCreate", map[string]own{
		"dataservice_review": {"It makes nothing that could be made twice: what is decided the same way again succeeds", "provider.TestADecisionIsMadeOnceAndStands"},
	}},
	{"No secret of it is found in state, plan or log under `TF_LOG=TRACE`", "acceptance.TestTheTokenIsFoundNowhere", map[string]own{
		"dataservice_app":        {"", "acceptance.TestTheCredentialsOfAnAppAreFoundNowhere"},
		"dataservice_connection": {"", "acceptance.TestSecretsAreFoundNowhere"},
	}},
	{"Its example is applied, planned empty and destroyed, and nothing is left behind", "demo.TestTheExampleOfEveryPageIsApplied", nil},
}

// forResource returns what holds for a resource, and the test that shows it.
func (p promise) forResource(resource string) own {
	o := p.of[resource]
	return own{cmp.Or(o.says, p.says), cmp.Or(o.test, p.test)}
}

// testedTable lists every resource with every promise.
func (p providerSchemas) testedTable() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.Resources)) {
		b.WriteString("### " + name + "\n\n")
		var rows [][]string
		for _, promise := range promises {
			held := promise.forResource(name)
			rows = append(rows, []string{held.says, code(held.test)})
		}
		b.WriteString(table([]string{"what holds", "test"}, rows) + "\n")
	}
	return b.String()
}
