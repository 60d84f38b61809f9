//go:build unix

package outages_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgresstate"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

// TestPgBouncer: behind a PgBouncer, which gives each transaction or statement another
// connection, everything works with the connection string that the pages name, and without it
// the error names it.
func TestPgBouncer(t *testing.T) {
	s := startPostgres(t)
	policies := must(postgres.New(s.URL("sallyport")))
	defer func() { _ = policies.Close() }()
	if err := policies.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), s.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	for _, mode := range []string{"transaction", "statement"} {
		t.Run(mode, func(t *testing.T) {
			through := pooled(t, s, mode)
			const option = "&default_query_exec_mode=exec"
			t.Run("sessions", func(t *testing.T) {
				state := must(postgresstate.New(through("app")+option, postgresstate.WithTimeout(authtest.TimeLimit(5*time.Second))))
				defer func() { _ = state.Close() }()
				sessiontest.RunStore(t, func(*testing.T) session.ContextStore { return state.Sessions() })
			})
			t.Run("policies", func(t *testing.T) {
				store := must(postgres.New(through("sallyport")+option, postgres.WithName(mode)))
				defer func() { _ = store.Close() }()
				p := source.Publication{Files: []source.File{{Name: "policy.csv", Content: []byte("p, alice, /, GET\n")}}, Note: source.Note{Author: "ann"}}
				for range 3 {
					e, err := store.Publish(t.Context(), p)
					if mode == "statement" {
						if err == nil || !strings.Contains(err.Error(), "transaction blocks not allowed") {
							t.Errorf("published: %+v, %v", e, err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if got, err := store.Fetch(t.Context(), source.State{}); err != nil || got.Revision != e.Revision {
						t.Errorf("%+v, %v", got, err)
					}
					p.Base, p.Files[0].Content = e.Revision, append(p.Files[0].Content, "p, bob, /, GET\n"...)
				}
			})
			t.Run("without the option", func(t *testing.T) {
				var all sync.WaitGroup
				for n := range 4 { // each has prepared statements of its own
					state := must(postgresstate.New(through("app"), postgresstate.WithTimeout(authtest.TimeLimit(5*time.Second))))
					defer func() { _ = state.Close() }()
					all.Go(func() {
						for range 50 {
							_, err := state.Revocations().Append(t.Context(), "", revoke.Entry{ID: fmt.Sprint(n)})
							if err != nil && !strings.Contains(err.Error(), "add"+strings.Replace(option, "&", " ", 1)) { // from 1.21 on there is none
								t.Error(err)
							}
						}
					})
				}
				all.Wait()
			})
			t.Run("storm", func(t *testing.T) {
				inStorm(t, func() stores { return postgresStores(through("app")+option, 10*patience()) }, 200*time.Millisecond, func(int) error {
					_, err := c.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and random() < 0.3")
					return err
				})
			})
		})
	}
}

// pooled starts a PgBouncer, and returns the connection string of a role that goes through it.
func pooled(t *testing.T, s *postgrestest.Server, mode string) func(role string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("CI is set, and there is no pgbouncer: install Debian's package pgbouncer")
	case err != nil:
		t.Skip("not run: it needs pgbouncer, and there is none on this machine")
	}
	dir, port := t.TempDir(), authtest.FreePort(t)
	host, to, _ := strings.Cut(s.Addr(), ":")
	config := filepath.Join(dir, "pgbouncer.ini")
	for path, text := range map[string]string{
		filepath.Join(dir, "users"): "\"app\" \"\"\n\"sallyport\" \"\"\n",
		config: "[databases]\npostgres = host=" + host + " port=" + to + "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + port +
			"\nunix_socket_dir =\nauth_type = trust\nauth_file = " + filepath.Join(dir, "users") + "\npool_mode = " + mode + "\ndefault_pool_size = 5\nserver_login_retry = 0\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, config)
	if os.Geteuid() == 0 { // which it refuses
		cmd.Args = append(cmd.Args, "-u", "nobody")
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	authtest.AwaitLine(t, said, "process up")
	return func(role string) string {
		u := must(url.Parse(s.URL(role)))
		u.Host = "127.0.0.1:" + port
		return u.String()
	}
}
