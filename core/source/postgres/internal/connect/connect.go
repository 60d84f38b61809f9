// Package connect makes connections to servers, for all that is kept in PostgreSQL.
package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Settings are what options say of a database.
type Settings struct {
	Name       string
	unverified bool
}

// Defaults are those of all packages.
func Defaults() Settings { return Settings{Name: "default"} }

// SetName names the part of the database.
func (s *Settings) SetName(name string) error {
	if name == "" || len(name) > 100 || strings.ContainsAny(name, " \x00") {
		return fmt.Errorf("name %q: want up to 100 characters without a space", name)
	}
	s.Name = name
	return nil
}

// SetUnverified has nobody verify the server.
func (s *Settings) SetUnverified() error {
	s.unverified = true
	return nil
}

// Config is that of a connection string. A connection to another machine must verify
// the server, unless that was given up.
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

// Open makes a pool. It takes another connection for one that was idle and does not
// answer: one whose other end is gone without a word would else cost all the time that
// a query may take. The others that are idle go with it, since each would cost as much.
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
	// idle is for how long a connection may say nothing and still be taken for alive.
	idle = time.Second
	// pingTimeout is how long one that was idle may take to say that it is.
	pingTimeout = time.Second
)

// isDead reports whether a connection was idle and does not answer.
func isDead(ctx context.Context, p pgxpool.ShouldPingParams) bool {
	if p.IdleDuration <= idle {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return p.Conn.Ping(ctx) != nil // which has closed it
}

// checkServer refuses a connection on which others could answer for the server.
func checkServer(c *pgconn.Config) error {
	hosts := []*pgconn.FallbackConfig{{Host: c.Host, TLSConfig: c.TLSConfig}}
	for _, h := range append(hosts, c.Fallbacks...) {
		if isHere(h.Host) {
			continue
		}
		// verify-ca verifies in a function of its own.
		t := h.TLSConfig
		if t == nil || t.InsecureSkipVerify && t.VerifyPeerCertificate == nil && t.VerifyConnection == nil {
			return fmt.Errorf("the connection to %s would not verify the server: add sslmode=verify-full, and sslrootcert=FILE for an authority of your own", h.Host)
		}
	}
	return nil
}

// isHere reports whether a host is this machine.
func isHere(host string) bool {
	ip := net.ParseIP(host)
	return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" || ip != nil && ip.IsLoopback()
}

// Migrate runs a schema, which must be one that may run again. Two at a time would be
// in each other's way.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('sallyport.schema'))"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
}

var roleName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$-]{0,62}$`)

// Role is a role as SQL has it.
func Role(name string) (string, error) {
	if !roleName.MatchString(name) {
		return "", fmt.Errorf("%q is not the name of a role", name)
	}
	return pgx.Identifier{name}.Sanitize(), nil
}

// Explain says what to do about missing tables and rights; nil for other errors.
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
	case "42501": // insufficient_privilege
		return fmt.Errorf("the role may not do that: %s: %w", rights, err)
	}
	return nil
}
