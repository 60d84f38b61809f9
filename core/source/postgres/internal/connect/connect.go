// Package connect opens connections for the packages that keep something in
// PostgreSQL.
package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Settings are the options for a database.
type Settings struct {
	Name       string
	unverified bool
}

// Defaults returns the default settings of all packages.
func Defaults() Settings { return Settings{Name: "default"} }

// SetName sets the name of the set of files or of the service.
func (s *Settings) SetName(name string) error {
	if name == "" || len(name) > 100 || strings.ContainsAny(name, " \x00") {
		return fmt.Errorf("name %q: want up to 100 characters without a space", name)
	}
	s.Name = name
	return nil
}

// SetUnverified turns verification of the server off.
func (s *Settings) SetUnverified() error {
	s.unverified = true
	return nil
}

// Config parses a connection string. A connection to another machine must verify
// the server, unless SetUnverified was called.
func (s *Settings) Config(connection string) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(connection)
	if err != nil {
		return nil, err // pgx leaves out the password
	}
	if !s.unverified {
		if err := checkServer(&c.ConnConfig.Config); err != nil {
			return nil, err
		}
	}
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	if c.ConnConfig.RuntimeParams["application_name"] == "" {
		c.ConnConfig.RuntimeParams["application_name"] = "sallyport"
	}
	c.MinConns, c.MinIdleConns = 0, 0
	return c, nil
}

// Open opens a pool. A connection that was idle and does not respond is replaced:
// one whose peer vanished silently would otherwise use up the whole timeout of a
// query. All other idle connections are closed too, since each could cost as much.
func Open(c *pgxpool.Config) (*pgxpool.Pool, error) {
	var pool *pgxpool.Pool
	c.ShouldPing = func(ctx context.Context, p pgxpool.ShouldPingParams) bool {
		dead := isDead(ctx, p)
		if dead && ctx.Err() == nil {
			pool.Reset()
		}
		return dead
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	return pool, err
}

const (
	// idle is how long a connection may be silent and still be assumed to be alive.
	idle = time.Second
	// pingTimeout limits the ping that tests an idle connection.
	pingTimeout = time.Second
)

// isDead reports whether a connection was idle and does not respond.
func isDead(ctx context.Context, p pgxpool.ShouldPingParams) bool {
	if p.IdleDuration <= idle {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return p.Conn.Ping(ctx) != nil // a failed ping closes it
}

// checkServer refuses a connection on which somebody else could pose as the server.
func checkServer(c *pgconn.Config) error {
	hosts := []*pgconn.FallbackConfig{{Host: c.Host, TLSConfig: c.TLSConfig}}
	for _, h := range append(hosts, c.Fallbacks...) {
		if isLocal(h.Host) {
			continue
		}
		// For verify-ca, pgx verifies in a callback.
		t := h.TLSConfig
		if t == nil || t.InsecureSkipVerify && t.VerifyPeerCertificate == nil && t.VerifyConnection == nil {
			return fmt.Errorf("the connection to %s would not verify the server: add sslmode=verify-full, and sslrootcert=FILE for an authority of your own", h.Host)
		}
	}
	return nil
}

// isLocal reports whether a host is this machine.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" || ip != nil && ip.IsLoopback()
}

// ReadCommitted are the options of all transactions that write. At a stricter level,
// which may be the server's default, a statement that had to wait for another
// transaction fails, or does not see what that one has written.
var ReadCommitted = pgx.TxOptions{IsoLevel: pgx.ReadCommitted}

// Write runs the statements that queue adds in one transaction, as [ReadCommitted] has
// it. They are sent with its end, so that no client that is lost in the middle holds a
// lock.
func Write(ctx context.Context, pool *pgxpool.Pool, queue func(*pgx.Batch)) error {
	var b pgx.Batch
	b.Queue("begin isolation level read committed")
	queue(&b)
	b.Queue("commit")
	err := pool.SendBatch(ctx, &b).Close()
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "25006" { // read_only_sql_transaction
		pool.Reset() // the server has become a standby, and another takes writes
	}
	return err
}

// PreferWritable makes connections to several servers go to the one that accepts
// writes, unless the connection string asks for another.
func PreferWritable(c *pgconn.Config) {
	other := func(f *pgconn.FallbackConfig) bool { return f.Host != c.Host || f.Port != c.Port }
	if c.ValidateConnect == nil && slices.ContainsFunc(c.Fallbacks, other) {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// Migrate runs a schema, which must be idempotent. A lock keeps concurrent migrations
// from conflicting.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	return pgx.BeginTxFunc(ctx, pool, ReadCommitted, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('sallyport.schema'))"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
}

var roleName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$-]{0,62}$`)

// Role quotes a role for SQL.
func Role(name string) (string, error) {
	if !roleName.MatchString(name) {
		return "", fmt.Errorf("%q is not the name of a role", name)
	}
	return pgx.Identifier{name}.Sanitize(), nil
}

// Explain says what to do about missing tables and rights, and about a pooler; nil for
// other errors.
func Explain(err error, tables, rights string) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return nil
	}
	switch pg.Code {
	case "42P01", "3F000": // undefined_table, invalid_schema_name
		return fmt.Errorf("the tables do not exist: %s: %w", tables, err)
	case "42703", "42883": // undefined_column, undefined_function
		return fmt.Errorf("the tables have another version: %s: %w", tables, err)
	case "42P05", "26000": // duplicate_prepared_statement, invalid_sql_statement_name
		return fmt.Errorf("a pooler in front of the database gives each transaction another connection: add default_query_exec_mode=exec to the connection string: %w", err)
	case "42501": // insufficient_privilege
		return fmt.Errorf("the role may not do that: %s: %w", rights, err)
	}
	return nil
}
