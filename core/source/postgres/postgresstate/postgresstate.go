// Package postgresstate keeps in PostgreSQL what the instances of a service share
// besides policies: revocations, as a log that each instance follows
// ([revoke.Follow]), and the entries of sessions and of tokens ([session.WithStore],
// [tokens.WithStore]).
//
// [State.Migrate] creates the tables, in the schema sallyport_state, and [Grants]
// returns the rights that roles need. They are separate from those of policies, so
// that a role that reads policies sees no sessions.
package postgresstate

import (
	"context"
	_ "embed" // the schema
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/source/postgres/internal/connect"
)

// Schema is the SQL that [State.Migrate] runs, for those who keep their migrations
// elsewhere.
//
//go:embed schema.sql
var Schema string

// State is the state of a named service in a database. It is safe for concurrent
// use.
type State struct {
	service string
	pool    *pgxpool.Pool
	timeout time.Duration
}

// Option configures [New].
type Option func(*settings) error

type settings struct {
	connect.Settings
	timeout time.Duration
	conns   int
}

// WithName names the service whose instances share the state: "default" by default.
func WithName(name string) Option {
	return func(s *settings) error { return s.SetName(name) }
}

// WithUnverifiedServer allows a connection to another machine without TLS, or with
// an unverified certificate. Anyone on the path can then read sessions, and sign in
// as anyone.
func WithUnverifiedServer() Option { return func(s *settings) error { return s.SetUnverified() } }

// WithTimeout bounds one statement, including waiting for a connection: 2 s by
// default, from 10 ms to 1 minute.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.timeout, d, d < 10*time.Millisecond || d > time.Minute, "timeout %v: must be from 10ms to 1m", d)
	}
}

// WithMaxConnections sets the maximum number of connections, besides one that
// listens: 10 by default, from 1 to 1000.
func WithMaxConnections(n int) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.conns, n, n < 1 || n > 1000, "max connections %d: must be from 1 to 1000", n)
	}
}

// New returns the state in the database that a connection string names, such as
//
//	postgres://app@db.example/app?sslmode=verify-full&sslrootcert=ca.pem
//
// It does not connect. A connection to another machine must verify the server,
// which is sslmode=verify-full or verify-ca: New refuses others without
// [WithUnverifiedServer]. The environment variables of libpq, such as PGPASSWORD,
// apply.
//
// If it names several hosts, the one that accepts writes is used, unless
// target_session_attrs says otherwise: a standby lags behind, and may not know of a
// logout.
func New(connection string, opts ...Option) (*State, error) {
	s := settings{connect.Defaults(), 2 * time.Second, 10}
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("postgresstate: %w", err)
	}
	c, err := s.Config(connection)
	if err != nil {
		return nil, fmt.Errorf("postgresstate: %w", err)
	}
	connect.PreferWritable(&c.ConnConfig.Config)
	// With that of the role or the database, instances could read other names than were written.
	c.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	c.MaxConns, c.ConnConfig.ConnectTimeout = int32(s.conns), s.timeout
	pool, err := connect.Open(c)
	if err != nil {
		return nil, fmt.Errorf("postgresstate: %w", err)
	}
	return &State{s.Name, pool, s.timeout}, nil
}

// Close closes the connections. Stores and logs of the state must no longer be
// used.
func (s *State) Close() error {
	s.pool.Close()
	return nil
}

// Migrate creates the tables if they do not exist. It needs a role that may do so,
// which instances should not have.
func (s *State) Migrate(ctx context.Context) error {
	return wrapped("create tables", connect.Migrate(ctx, s.pool, Schema))
}

// Grants returns SQL that grants roles only the rights they need: reader is for
// programs that follow revocations, app for services that also keep sessions and
// revoke. Neither can undo a revocation. Either may be "".
func Grants(reader, app string) (string, error) {
	var b strings.Builder
	for _, r := range []struct{ role, rights string }{
		{reader, "grant select on sallyport_state.revocation to %[1]s;\n"},
		{app, "grant select, insert, delete on sallyport_state.revocation to %[1]s;\n" +
			"grant select, insert, update, delete on sallyport_state.entry to %[1]s;\n"},
	} {
		if r.role == "" {
			continue
		}
		role, err := connect.Role(r.role)
		if err != nil {
			return "", fmt.Errorf("postgresstate: %w", err)
		}
		fmt.Fprintf(&b, "grant usage on schema sallyport_state to %[1]s;\n"+r.rights, role)
	}
	return b.String(), nil
}

// wrapped says what was being done, and what to do about a missing table.
func wrapped(doing string, err error) error {
	if err == nil {
		return nil
	}
	if told := connect.Explain(err, `run "sallyport state init"`, `"sallyport state schema" prints the grants`); told != nil {
		err = told
	}
	return fmt.Errorf("postgresstate: %s: %w", doing, err)
}
