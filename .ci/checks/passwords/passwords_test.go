// Package passwords_test signs in by password on all frameworks: with hashes of
// either kind, in either form of Unicode, and while the password file is edited.
package passwords_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/htpasswd/htpasswdtest"
	"github.com/sallyport-go/sallyport/core/watch"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	os.Exit(m.Run())
}

// TestPasswords is group C of the conformance list, with real hashes.
func TestPasswords(t *testing.T) {
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			htpasswdtest.Run(t, start)
		})
	}
}

// Users of one file; each password is the name and "-pass".
const (
	alice = "alice:$2y$10$y8tCRCefKPn8JSRZewkJ0eJR1ydyHT0BEHZhmPnBA12VOuKTOOYJa\n"
	bob   = "bob:$argon2id$v=19$m=7168,t=5,p=1$c2FsdHNhbHQxMjM0NTY3OA$OH+cCcooVLS6L3QlUgrNLDvUHZ08kBF4TeoFMk0hI14\n"
)

// TestEditsOfThePasswordFile edits the file under four servers: who is added
// gets in, who is removed is out at the next request though the password was
// remembered, and a bad edit is told with its line and changes nothing (H06).
func TestEditsOfThePasswordFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.htpasswd")
	edit(t, file, alice)
	users, err := htpasswd.New()
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 100)
	w, err := watch.Load(file, users,
		watch.WithErrorObserver(func(err error) { told <- err }),
		watch.WithDebounce(time.Minute, time.Minute)) // the test says when
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := doors(t, users)
	step := func(want map[string]int) {
		t.Helper()
		for name, addr := range all {
			for user, status := range want {
				request := authtest.Request("GET", "/door", "Authorization: Basic "+credentials[user])
				if a := authtest.Send(t, addr, request); a.Status != status {
					t.Errorf("%s: %s is answered %d, want %d", name, user, a.Status, status)
				}
			}
		}
	}
	step(map[string]int{"alice": http.StatusOK, "bob": http.StatusUnauthorized})

	edit(t, file, alice+bob)
	if _, err := w.Trigger(t.Context()); err != nil {
		t.Fatal(err)
	}
	step(map[string]int{"alice": http.StatusOK, "bob": http.StatusOK})

	edit(t, file, bob+"alice:alice-pass\n")
	if _, err := w.Trigger(t.Context()); err == nil {
		t.Error("a plain password is taken")
	}
	if err := <-told; !strings.HasPrefix(err.Error(), file+`:2: user "alice": `) || strings.Contains(err.Error(), "alice-pass") {
		t.Errorf("told %v", err)
	}
	step(map[string]int{"alice": http.StatusOK, "bob": http.StatusOK})

	edit(t, file, bob)
	if _, err := w.Trigger(t.Context()); err != nil {
		t.Fatal(err)
	}
	step(map[string]int{"alice": http.StatusUnauthorized, "bob": http.StatusOK})
}

// credentials are those of a user, encoded.
var credentials = map[string]string{
	"alice": "YWxpY2U6YWxpY2UtcGFzcw==",
	"bob":   "Ym9iOmJvYi1wYXNz",
}

// doors starts all servers on one guard.
func doors(t *testing.T, users *htpasswd.File) map[string]string {
	t.Helper()
	remembered, err := basic.NewCache(users)
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := basic.New("test", remembered)
	if err != nil {
		t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(new(authtest.Recorder)))
	if err != nil {
		t.Fatal(err)
	}
	addrs := map[string]string{}
	for name, start := range starts {
		addrs[name] = start(t, g)
	}
	return addrs
}

// edit renames a new file over the old one.
func edit(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+"~", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+"~", file); err != nil {
		t.Fatal(err)
	}
}
