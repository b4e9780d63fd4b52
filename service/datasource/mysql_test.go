// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

// mysqlEndless counts for longer than anybody waits.
const mysqlEndless = "SELECT count(*) AS c FROM seq_1_to_1000000 AS a, seq_1_to_1000000 AS b, seq_1_to_1000000 AS c WHERE a.seq + b.seq + c.seq < 0"
