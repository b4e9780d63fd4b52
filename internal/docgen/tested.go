// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
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
	// of has the tests of resources that have their own.
	of map[string]string
}

// promises are in the order of the table. A test is named by its folder and its function.
var promises = []promise{
	{"It is created, read, updated and destroyed, and a plan right after each is empty", "acceptance.TestEveryResourceSurvivesEveryFault", map[string]string{
		"dataservice_review": "provider.TestADecisionIsMadeOnceAndStands",
	}},
	{"Imported by id, with an `import` block and a generated configuration, it plans empty", "acceptance.TestWhatExistsIsImportedWithAGeneratedConfiguration", map[string]string{
		"dataservice_publication": "provider.TestAPublicationIsImported",
		"dataservice_review":      "provider.TestWhatIsImportedIsADecision",
	}},
	{"It has an identity, which never changes, and is imported by it", "provider.TestEveryResourceHasAnIdentityAndIsImportedByIt", nil},
	{"`terraform query` lists it, page by page, with filters and a limit", "provider.TestEveryResourceIsListed", nil},
	{"What somebody else changed shows in the plan and is changed back", "acceptance.TestWhatSomebodyElseChangedIsPlannedBack", map[string]string{
		"dataservice_authorization": "provider.TestAnAuthorizationByAReviewerCountsAtOnceAndIsOnlyExtended",
		"dataservice_review":        "provider.TestADecisionIsMadeOnceAndStands",
	}},
	{"What somebody else removed is planned anew", "acceptance.TestWhatSomebodyElseRemovedIsPlannedAnew", map[string]string{
		"dataservice_review": "provider.TestADecisionIsMadeOnceAndStands",
	}},
	{"A plan defers while its inputs are unknown", "provider.TestEveryResourceIsPlannedWhileItsInputsAreUnknown", nil},
	{"After each of 14 faults of the network, the service, the rights and the process, the next apply converges and one of it exists", "acceptance.TestEveryResourceSurvivesEveryFault", map[string]string{
		"dataservice_review": "acceptance.TestAnInterruptedWaitGoesOn",
	}},
	{"Killed with the plugin, or with the service, in the middle of a create, it is taken over by the next apply", "acceptance.TestThePluginIsKilledInTheMiddleOfEachCreate", map[string]string{
		"dataservice_review": "acceptance.TestAnInterruptedWaitGoesOn",
	}},
	{"No secret of it is found in state, plan or log under `TF_LOG=TRACE`", "acceptance.TestTheTokenIsFoundNowhere", map[string]string{
		"dataservice_app":        "acceptance.TestTheCredentialsOfAnAppAreFoundNowhere",
		"dataservice_connection": "acceptance.TestSecretsAreFoundNowhere",
	}},
	{"Its example is valid", "demo.TestExamples", nil},
}

// testOf returns the test of the promise for a resource.
func (p promise) testOf(resource string) string {
	if test := p.of[resource]; test != "" {
		return test
	}
	return p.test
}

// testedTable lists every resource with every promise.
func (p providerSchemas) testedTable() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.Resources)) {
		b.WriteString("### " + name + "\n\n")
		var rows [][]string
		for _, promise := range promises {
			rows = append(rows, []string{promise.says, code(promise.testOf(name))})
		}
		b.WriteString(table([]string{"what holds", "test"}, rows) + "\n")
	}
	return b.String()
}
