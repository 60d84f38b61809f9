// Package postgres keeps what several instances share in PostgreSQL: a
// [source.Store] for policies, users and keys, with their history.
//
// A publication is one transaction that also notifies (LISTEN/NOTIFY), so that
// instances learn of it within milliseconds; the revision is also read on each
// connection and every few seconds. This package never changes or deletes published
// content.
//
// [Store.Migrate] creates the tables, and [Grants] returns the rights that roles
// need: instances may only read, publishers may only add.
package postgres

import (
	"context"
	_ "embed" // the schema
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres/internal/connect"
)

// channel is the channel on which publications are notified.
const channel = "sallyport_source"

// Schema is the SQL that [Store.Migrate] runs, for those who keep their
// migrations elsewhere.
//
//go:embed schema.sql
var Schema string

// Store is a [source.Store] in PostgreSQL. It is safe for concurrent use.
type Store struct {
	name     string
	pool     *pgxpool.Pool
	listener connect.Listener
	edits    source.Edits
}

var _ source.Store = (*Store)(nil)

// Option configures [New].
type Option func(*settings) error

type settings struct{ connect.Settings }

// WithName names the set of files, for databases that hold several: "default" by
// default.
func WithName(name string) Option {
	return func(s *settings) error { return s.SetName(name) }
}

// WithUnverifiedServer allows a connection to another machine without TLS, or with
// an unverified certificate. Anyone on the path can then read and replace policies.
func WithUnverifiedServer() Option { return func(s *settings) error { return s.SetUnverified() } }

// New returns a store in the database that a connection string names, such as
//
//	postgres://reader@db.example/app?sslmode=verify-full&sslrootcert=ca.pem
//
// It does not connect. A connection to another machine must verify the server,
// which is sslmode=verify-full or verify-ca: New refuses others without
// [WithUnverifiedServer]. The environment variables of libpq, such as PGPASSWORD,
// apply.
func New(connection string, opts ...Option) (*Store, error) {
	s := settings{connect.Defaults()}
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("source/postgres: %w", err)
	}
	c, err := s.Config(connection)
	if err != nil {
		return nil, fmt.Errorf("source/postgres: %w", err)
	}
	c.MaxConns = 2
	pool, err := connect.Open(c)
	if err != nil {
		return nil, fmt.Errorf("source/postgres: %w", err)
	}
	return &Store{name: s.Name, pool: pool}, nil
}

// Close implements [source.Store].
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Migrate creates the tables if they do not exist. It needs a role that may do so,
// which instances should not have.
func (s *Store) Migrate(ctx context.Context) error {
	return wrapped("create tables", connect.Migrate(ctx, s.pool, Schema))
}

// Grants returns SQL that grants roles only the rights they need: reader is for
// instances, writer for publishers. Either may be "".
func Grants(reader, writer string) (string, error) {
	var b strings.Builder
	for _, r := range []struct {
		role  string
		write bool
	}{{reader, false}, {writer, true}} {
		if r.role == "" {
			continue
		}
		role, err := connect.Role(r.role)
		if err != nil {
			return "", fmt.Errorf("source/postgres: %w", err)
		}
		fmt.Fprintf(&b, "grant usage on schema sallyport to %s;\ngrant select on all tables in schema sallyport to %s;\n", role, role)
		if r.write {
			fmt.Fprintf(&b, "grant insert, update on sallyport.head to %s;\ngrant insert on sallyport.revision, sallyport.file to %s;\n", role, role)
		}
	}
	return b.String(), nil
}

// wrapped adds to an error what was being done, and what to do about a missing table.
func wrapped(doing string, err error) error {
	if err == nil {
		return nil
	}
	if told := connect.Explain(err, `run "sallyport store init"`, `"sallyport store schema" prints the grants`); told != nil {
		err = told
	}
	return fmt.Errorf("source/postgres: %s: %w", doing, err)
}
