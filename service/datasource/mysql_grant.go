// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"errors"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// admit refuses accounts that are more than readers, by their own rights or by those
// of a role that they have or can take on.
func (s *mysqlSource) admit(session *mysqlSession) error {
	rows, err := session.table("SHOW GRANTS")
	if err != nil {
		return err
	}
	roles, err := s.checkGrants(rows, "")
	if err != nil {
		return err
	}
	if session.server.maria {
		return s.admitMariaRoles(session, roles)
	}
	if len(roles) == 0 {
		return nil
	}
	// MySQL lets nobody but an administrator see the grants of a role, yet everybody
	// what they would have with it.
	rows, err = session.table("SHOW GRANTS FOR CURRENT_USER() USING " + strings.Join(roles, ", "))
	if err != nil {
		return err
	}
	_, err = s.checkGrants(rows, strings.Join(roles, ", "))
	return err
}

// admitMariaRoles takes on each role in turn, since MariaDB answers the grants of the
// one that is taken on, with those of the roles that it has itself.
func (s *mysqlSource) admitMariaRoles(session *mysqlSession, roles []string) error {
	if len(roles) == 0 {
		return nil
	}
	rows, err := session.table("SELECT CURRENT_ROLE()")
	if err != nil || len(rows) != 1 || len(rows[0]) != 1 {
		return errors.Join(err, errProtocol)
	}
	usual := "NONE"
	if rows[0][0] != "" {
		usual = "`" + strings.ReplaceAll(rows[0][0], "`", "``") + "`"
	}
	for _, role := range roles {
		err := session.exec("SET ROLE " + role)
		var refused *mysql.MySQLError
		if errors.As(err, &refused) && refused.Number == 1959 {
			continue // It is a role of the usual one, and was seen with that.
		}
		if err != nil {
			return err
		}
		rows, err := session.table("SHOW GRANTS FOR CURRENT_ROLE")
		if err != nil {
			return err
		}
		if _, err := s.checkGrants(rows, role); err != nil {
			return err
		}
	}
	return session.exec("SET ROLE " + usual)
}

// checkGrants refuses rights that no reader has, and returns the roles that are granted.
func (s *mysqlSource) checkGrants(rows [][]string, role string) ([]string, error) {
	var roles []string
	for _, row := range rows {
		if len(row) == 0 {
			continue
		}
		right, granted := readGrant(row[0])
		roles = append(roles, granted...)
		switch {
		case right == "":
		case role == "":
			return nil, connectionFailed("/username", nil, "The user %q has the right %s on every database: use a user that can only read, or set allow_superuser if it must be this one.", s.connection.Username, right)
		default:
			return nil, connectionFailed("/username", nil, "The user %q has the role %s and so the right %s on every database: use a user that can only read, or set allow_superuser if it must be this one.", s.connection.Username, role, right)
		}
	}
	return roles, nil
}

// readers' rights are those on every database that say nothing about the server
// itself: what may write is stopped by the read-only transaction.
var readersRights = map[string]bool{
	"USAGE": true, "SELECT": true, "INSERT": true, "UPDATE": true, "DELETE": true, "CREATE": true, "DROP": true,
	"REFERENCES": true, "INDEX": true, "ALTER": true, "SHOW DATABASES": true, "CREATE TEMPORARY TABLES": true,
	"LOCK TABLES": true, "EXECUTE": true, "CREATE VIEW": true, "SHOW VIEW": true, "CREATE ROUTINE": true,
	"ALTER ROUTINE": true, "EVENT": true, "TRIGGER": true, "DELETE HISTORY": true, "DELETE VERSIONING ROWS": true,
	"SHOW CREATE ROUTINE": true, "REPLICATION CLIENT": true, "BINLOG MONITOR": true, "SHOW_ROUTINE": true,
}

var (
	grantOnAll = regexp.MustCompile(`^GRANT (.+) ON \*\.\* TO `)
	// A grant of roles names no place: GRANT role TO user, or `role`@`%` of MySQL.
	grantOfRole = regexp.MustCompile("^GRANT ((?:`(?:[^`]|``)*`|'[^']*'|[\\w$.-]+)(?:@(?:`(?:[^`]|``)*`|'[^']*'|[\\w$.%-]+))?(?:, ?(?:`(?:[^`]|``)*`|'[^']*'|[\\w$.-]+)(?:@(?:`(?:[^`]|``)*`|'[^']*'|[\\w$.%-]+))?)*) TO ")
	grantedName = regexp.MustCompile("(?:`(?:[^`]|``)*`|'[^']*'|[\\w$.-]+)(?:@(?:`(?:[^`]|``)*`|'[^']*'|[\\w$.%-]+))?")
)

// readGrant reads one line of SHOW GRANTS: the first right that no reader has, on
// every database, "" where there is none, and the roles that it grants.
func readGrant(line string) (right string, roles []string) {
	if m := grantOfRole.FindStringSubmatch(line); m != nil {
		return "", grantedName.FindAllString(m[1], -1)
	}
	m := grantOnAll.FindStringSubmatch(line)
	if m == nil {
		return "", nil
	}
	for _, name := range strings.Split(m[1], ",") {
		name = strings.ToUpper(strings.TrimSpace(name))
		if columns := strings.IndexByte(name, '('); columns >= 0 {
			name = strings.TrimSpace(name[:columns])
		}
		if !readersRights[name] {
			return name, nil
		}
	}
	if strings.HasSuffix(strings.TrimSpace(line), "WITH GRANT OPTION") || strings.Contains(line, " WITH GRANT OPTION ") {
		return "GRANT OPTION", nil
	}
	return "", nil
}
