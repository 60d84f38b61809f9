package adapter

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// store is a policy in an SQLite file, in the columns that Casbin's adapters
// for SQL databases commonly use. It is a persist.Adapter that only loads.
type store struct {
	persist.Adapter
	db *sql.DB
}

// openStore opens a database file that has to exist. It waits for a lock for
// 50 ms.
func openStore(name string) (*store, error) {
	db, err := sql.Open("sqlite", "file:"+name+"?mode=rw&_pragma=busy_timeout(50)")
	if err != nil {
		return nil, err
	}
	// A connection of its own for each load sees the file that is there now.
	db.SetMaxIdleConns(-1)
	return &store{db: db}, nil
}

// LoadPolicy implements persist.Adapter.
func (s *store) LoadPolicy(m model.Model) (err error) {
	rows, err := s.db.Query("SELECT ptype, v0, v1, v2, v3 FROM casbin_rule ORDER BY id")
	if err != nil {
		return fmt.Errorf("select rules: %w", err)
	}
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	for rows.Next() {
		var columns [5]sql.NullString
		if err := rows.Scan(&columns[0], &columns[1], &columns[2], &columns[3], &columns[4]); err != nil {
			return fmt.Errorf("read a rule: %w", err)
		}
		var rule []string
		for _, c := range columns {
			if c.Valid {
				rule = append(rule, c.String)
			}
		}
		if err := persist.LoadPolicyArray(rule, m); err != nil {
			return err
		}
	}
	return rows.Err()
}

// create makes a database file with rules such as "p, erin, /a, GET".
func create(t *testing.T, name string, rules ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	execute(t, db, "CREATE TABLE casbin_rule (id INTEGER PRIMARY KEY, ptype TEXT, v0 TEXT, v1 TEXT, v2 TEXT, v3 TEXT)")
	replace(t, db, rules...)
	return db
}

// replace puts other rules in place of all there are, in one transaction.
func replace(t *testing.T, db *sql.DB, rules ...string) {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing behind Commit
	if _, err := tx.Exec("DELETE FROM casbin_rule"); err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		values := make([]any, 5)
		for i, value := range strings.Split(rule, ", ") {
			values[i] = value
		}
		if _, err := tx.Exec("INSERT INTO casbin_rule (ptype, v0, v1, v2, v3) VALUES (?, ?, ?, ?, ?)", values...); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
