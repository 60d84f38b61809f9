package recipes

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	_ "modernc.org/sqlite" // as database/sql's driver "sqlite"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
)

// Users verifies passwords by the table users. It is made by NewUsers and safe
// for concurrent use.
type Users struct {
	db    *sql.DB
	cost  int           // of bcrypt, for all hashes
	decoy []byte        // compared with where there is no user
	turns chan struct{} // as many as hashes may be computed at a time
}

// NewUsers makes a verifier over db. All hashes in the table have the same bcrypt
// cost, 12 or so, or the time of a refusal would tell who has an account.
func NewUsers(db *sql.DB, cost int) (*Users, error) {
	decoy, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), cost)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	return &Users{db, cost, decoy, make(chan struct{}, runtime.NumCPU())}, nil
}

// VerifyPassword implements basic.Verifier.
func (u *Users) VerifyPassword(ctx context.Context, login, password string) (*core.Principal, error) {
	var id, hash, roles string
	err := u.db.QueryRowContext(ctx, `SELECT id, hash, roles FROM users WHERE login = $1`, login).Scan(&id, &hash, &roles)
	known := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("users: %w", err) // 503: nobody knows
	}
	compared := u.decoy
	if known {
		compared = []byte(hash)
	}
	select {
	case u.turns <- struct{}{}:
		defer func() { <-u.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	err = bcrypt.CompareHashAndPassword(compared, []byte(password))
	switch {
	case !known:
		return nil, basic.ErrUnknownUser
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) || len(password) > 72:
		return nil, basic.ErrWrongPassword // bcrypt reads 72 bytes, and no password is cut
	case err != nil:
		return nil, fmt.Errorf("users: hash of %q: %w", id, err)
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: id, Roles: strings.Fields(roles)})
}

// AddUser puts a user into the table.
func (u *Users) AddUser(ctx context.Context, id, login, password string, roles ...string) error {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), u.cost)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	_, err = u.db.ExecContext(ctx, `INSERT INTO users (id, login, hash, roles) VALUES ($1, $2, $3, $4)`,
		id, login, string(hash), strings.Join(roles, " "))
	return err
}

// openUsers opens the database of a driver that is imported, and its users.
func openUsers(driver, source string) (*Users, error) {
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	return NewUsers(db, 12)
}

func passwordsOfTable(users basic.Verifier) (core.Authenticator, error) {
	remembered, err := basic.NewCache(users)
	if err != nil {
		return nil, err
	}
	return basic.New("reports", remembered, basic.WithTLSRequired())
}

func guardOfTable(users basic.Verifier) (*core.Guard, error) {
	scheme, err := passwordsOfTable(users)
	if err != nil {
		return nil, err
	}
	return core.NewGuard([]core.Authenticator{scheme})
}

// newUsersTable makes the table of the page in a database on the disk.
func newUsersTable(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "users.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, b := range readPage(t, "users-table.md").Blocks {
		if b.Language() == "sql" {
			if _, err := db.ExecContext(t.Context(), b.Text); err != nil {
				t.Fatal(err)
			}
		}
	}
	return db
}

// TestUsersTable runs docs/users-table.md.
func TestUsersTable(t *testing.T) {
	t.Parallel()
	checkSource(t, "users-table.md", "userstable_test.go")
	db := newUsersTable(t)
	users, err := NewUsers(db, 8)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := guardOfTable(users); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("long ", 14) // 70 bytes
	for id, password := range map[string]string{"u1": "correct horse", "u2": long} {
		if err := users.AddUser(t.Context(), id, "login of "+id, password, "editor", "viewer"); err != nil {
			t.Fatal(err)
		}
	}
	if err := users.AddUser(t.Context(), "u3", "another", long+"too long"); err == nil {
		t.Error("a password of more than 72 bytes was taken")
	}
	if _, err := db.ExecContext(t.Context(), `INSERT INTO users (id, login, hash) VALUES ('u4', 'broken', 'no hash')`); err != nil {
		t.Fatal(err)
	}
	scheme, err := basic.New("reports", users)
	if err != nil {
		t.Fatal(err)
	}
	events := new(authtest.Recorder)
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(anybody{}), core.WithObserver(events))
	if err != nil {
		t.Fatal(err)
	}
	s := newService(events, guard)
	for name, tc := range map[string]struct {
		login, password string
		status          int
		reason          core.Reason
	}{
		"right":              {"login of u1", "correct horse", 200, core.ReasonAllowed},
		"wrong":              {"login of u1", "battery staple", 401, core.ReasonWrongSecret},
		"unknown":            {"nobody", "correct horse", 401, core.ReasonUnknownPrincipal},
		"the ID is no login": {"u1", "correct horse", 401, core.ReasonUnknownPrincipal},
		"no SQL":             {"' OR ''='", "correct horse", 401, core.ReasonUnknownPrincipal},
		"long":               {"login of u2", long, 200, core.ReasonAllowed},
		"the same 72 bytes":  {"login of u2", long + strings.Repeat("x", 10), 401, core.ReasonWrongSecret},
		"what is no hash":    {"broken", "correct horse", 503, core.ReasonUnavailable},
	} {
		status, body := s.ask(t, "GET", "/reports", "Authorization", basicCredentials(tc.login, tc.password))
		if status != tc.status || events.Last(t).Reason != tc.reason {
			t.Errorf("%s: %d %s, want %d %s: %s", name, status, events.Last(t).Reason, tc.status, tc.reason, body)
		}
	}
	p, err := users.VerifyPassword(t.Context(), "login of u1", "correct horse")
	if err != nil || p.ID() != "u1" || !p.HasRole("editor") || !p.HasRole("viewer") {
		t.Errorf("%v, %v", p, err)
	}
	opened, err := openUsers("sqlite", "file:"+filepath.Join(t.TempDir(), "empty.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.db.Close() })
	if _, err := opened.VerifyPassword(t.Context(), "login of u1", "correct horse"); err == nil || errors.Is(err, basic.ErrUnknownUser) {
		t.Errorf("a database without the table: %v", err)
	}
	// The quickest of some tries, since anything may delay one.
	unknown, wrong := time.Hour, time.Hour
	end := time.Now().Add(authtest.TimeLimit(10 * time.Second))
	for tries := 0; tries < 3 || unknown < wrong/10; tries++ {
		unknown, wrong = min(unknown, refusal(users, "nobody")), min(wrong, refusal(users, "login of u1"))
		if time.Now().After(end) {
			t.Fatalf("an unknown user takes %v, a wrong password %v", unknown, wrong)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.ask(t, "GET", "/reports", "Authorization", basicCredentials("login of u1", "correct horse")); status != 503 {
		t.Errorf("without the database: %d", status)
	}
}

// refusal is the time of one.
func refusal(users *Users, login string) time.Duration {
	start := time.Now()
	_, _ = users.VerifyPassword(context.Background(), login, "wrong")
	return time.Since(start)
}

func basicCredentials(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
