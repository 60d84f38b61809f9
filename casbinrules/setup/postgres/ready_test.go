//go:build unix

package postgres

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgresstate"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

// TestReadyOfServer: a role that may not sign anybody in, and a server that takes no writes,
// are reported although both can be read.
func TestReadyOfServer(t *testing.T) {
	server := postgrestest.Start(t)
	state, err := postgresstate.New(server.URL("sallyport"), postgresstate.WithTimeout(authtest.TimeLimit(5*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	if err := state.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), server.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	const reads = "grant usage on schema sallyport_state to ROLE; grant select on sallyport_state.entry to ROLE"
	grants, err := postgresstate.Grants("", "app")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"create role app login", grants, "create role noinsert login", strings.ReplaceAll(reads, "ROLE", "noinsert"),
		"create role nodelete login", strings.ReplaceAll(reads, "ROLE", "nodelete") + "; grant insert, update on sallyport_state.entry to nodelete",
	} {
		if _, err := c.Exec(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	standby := server.Standby()
	for name, s := range map[string]struct{ url, want string }{
		"good":       {server.URL("app"), ""},
		"no inserts": {server.URL("noinsert"), `session.store: not ready: postgresstate: keep an entry: the role may not do that: "sallyport state schema" prints the grants`},
		"no deletes": {server.URL("nodelete"), `session.store: not ready: postgresstate: delete an entry: the role may not do that`},
		"a standby":  {standby.URL("app"), "in a read-only transaction"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("STATE", s.url)
			path := write(t, "realm: shop\nsession:\n  sign_in_page: /login\n  store: {postgres: {url: '${STATE}', timeout: 1m}}\n")
			made, err := setup.Open(path, setup.WithLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = made.Close() }()
			limit, most := time.Second, authtest.TimeLimit(20*time.Second)
			if s.want == "" {
				limit = most
			}
			for ; ; limit *= 2 { // until the store has had the time to answer
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				err = made.Ready(ctx)
				cancel()
				switch {
				case s.want == "" && err == nil, s.want != "" && err != nil && strings.Contains(err.Error(), s.want):
					return
				case err == nil || limit >= most:
					t.Fatalf("%v, want %q", err, s.want)
				}
			}
		})
	}
}
