// Package htpasswdtest is the part of the conformance suite that needs password hashes. It
// is separate because package authtest has no dependencies.
//
// [Run] tests a server over real sockets with basic and htpasswd behind its gate.
package htpasswdtest

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/htpasswd"
)

// Start serves GET /door behind the adapter's Authenticate(g) on a loopback
// socket until the test ends, and returns its address as host:port. The handler
// answers 200 with the ID of the principal.
type Start func(t testing.TB, g *core.Guard) (addr string)

// Run runs every case. Cases are independent and run in parallel.
func Run(t *testing.T, start Start) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Start)
	}{
		{"C07 one form of Unicode for users and passwords", normalization},
		{"C08 every refusal is answered alike", refusals},
		{"C09 bcrypt's 72 bytes are the whole password", lengths},
		{"C09 too many at once is 503, and nobody gets in by it", overload},
		{"C10 a user who is removed is out, though remembered", removal},
		{"C11 weak hashes keep the last good file", weak},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, start)
		})
	}
}

// door is a running server and its password file.
type door struct {
	t      *testing.T
	file   *htpasswd.File
	addr   string
	events *authtest.Recorder
}

// open starts a server with the lowest cost of bcrypt.
func open(t *testing.T, start Start, text string, opts ...htpasswd.Option) *door {
	t.Helper()
	file, err := htpasswd.New(append(opts, htpasswd.WithMinCost(bcrypt.MinCost))...)
	if err != nil {
		t.Fatal(err)
	}
	users, err := basic.NewCache(file)
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := basic.New("test", users)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, file: file, events: new(authtest.Recorder)}
	g, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(d.events))
	if err != nil {
		t.Fatal(err)
	}
	d.addr = start(t, g)
	if text != "" {
		d.load(text)
	}
	return d
}

func (d *door) load(text string) {
	d.t.Helper()
	if err := d.file.Load("users", []byte(text)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *door) ask(user, password string) authtest.Answer {
	d.t.Helper()
	credentials := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return authtest.Send(d.t, d.addr, authtest.Request("GET", "/door", "Authorization: Basic "+credentials))
}

// admits fails the test unless the password authenticates the principal.
func (d *door) admits(id, user, password string) {
	d.t.Helper()
	if a := d.ask(user, password); a.Status != http.StatusOK || a.Body != id {
		d.t.Errorf("%+q with %.80q: %d %q, want %q", user, password, a.Status, a.Body, id)
	}
}

// refuses fails the test unless the answer is 401 with a challenge and the event has this
// reason. It returns the answer.
func (d *door) refuses(reason core.Reason, user, password string) authtest.Answer {
	d.t.Helper()
	a := d.ask(user, password)
	if a.Status != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") != `Basic realm="test", charset="UTF-8"` {
		d.t.Errorf("%+q with %.80q: %d %q, want 401", user, password, a.Status, a.Header)
	}
	if e := d.events.Last(d.t); e.Reason != reason {
		d.t.Errorf("%+q with %.80q: reason %s, want %s", user, password, e.Reason, reason)
	}
	return a
}

// bcryptOf returns a user's line with a bcrypt hash.
func bcryptOf(t *testing.T, user, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return user + ":" + string(h) + "\n"
}

// argon2idOf returns a user's line with an Argon2id hash that uses the least memory.
func argon2idOf(user, password string) string {
	salt := []byte("0123456789abcdef")
	b64 := base64.RawStdEncoding.EncodeToString
	return user + ":$argon2id$v=19$m=7168,t=5,p=1$" + b64(salt) + "$" + b64(argon2.IDKey([]byte(password), salt, 5, 7168, 1, 32)) + "\n"
}

// normalization checks that a user name and its ID are the same however a keyboard composes
// letters (RFC 7617 §2.1 and Appendix B.2).
func normalization(t *testing.T, start Start) {
	const composed, decomposed = "J\u00e4s\u00f8n", "Ja\u0308s\u00f8n"
	d := open(t, start, bcryptOf(t, decomposed, "\u00e9t\u00e9")+argon2idOf("\u00e9va", "\u00e9t\u00e9"))
	for _, password := range []string{"\u00e9t\u00e9", "e\u0301te\u0301", "\u00e9te\u0301"} {
		d.admits(composed, composed, password)
		d.admits(composed, decomposed, password)
		d.admits("\u00e9va", "\u00e9va", password)
		d.admits("\u00e9va", "e\u0301va", password)
	}
	d.refuses(core.ReasonWrongSecret, composed, "ete")
	d.refuses(core.ReasonUnknownPrincipal, "Jason", "\u00e9t\u00e9")
	d.refuses(core.ReasonMalformed, "\xe9va", "\u00e9t\u00e9") // ISO 8859-1
}

// refusals checks that an answer reveals neither whether the user exists nor the kind of
// hash.
func refusals(t *testing.T, start Start) {
	d := open(t, start, bcryptOf(t, "bob", "secret")+argon2idOf("eve", "secret"))
	d.admits("bob", "bob", "secret")
	d.admits("eve", "eve", "secret")
	first := d.refuses(core.ReasonWrongSecret, "bob", "wrong")
	for _, other := range []authtest.Answer{
		d.refuses(core.ReasonWrongSecret, "eve", "wrong"),
		d.refuses(core.ReasonUnknownPrincipal, "nobody", "secret"),
		d.refuses(core.ReasonUnknownPrincipal, "nobody", strings.Repeat("x", 100)),
		d.refuses(core.ReasonWrongSecret, "bob", strings.Repeat("x", 100)),
	} {
		if other.Status != first.Status || other.Body != first.Body || len(other.Header) != len(first.Header) {
			t.Errorf("%d %q %q, want as for a wrong password: %d %q %q",
				other.Status, other.Body, other.Header, first.Status, first.Body, first.Header)
		}
	}
}

// lengths checks that passwords are not truncated before hashing.
func lengths(t *testing.T, start Start) {
	long := strings.Repeat("0123456789", 8)
	d := open(t, start, bcryptOf(t, "bob", long[:72])+argon2idOf("eve", long))
	d.admits("bob", "bob", long[:72])
	d.admits("eve", "eve", long)
	d.refuses(core.ReasonWrongSecret, "bob", long[:71])
	d.refuses(core.ReasonWrongSecret, "bob", long[:73])
	d.refuses(core.ReasonWrongSecret, "eve", long[:72])
	d.refuses(core.ReasonWrongSecret, "eve", long+"0")
}

// overload checks that a guard without a file, or without capacity for another hash, admits
// nobody and signs nobody out.
func overload(t *testing.T, start Start) {
	d := open(t, start, "", htpasswd.WithConcurrency(1), htpasswd.WithMaxWait(0))
	a := d.ask("bob", "secret")
	if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") != "1" || a.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("before a file is loaded: %d %q", a.Status, a.Header)
	}
	d.load(argon2idOf("eve", "secret"))
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			a := d.ask("eve", "wrong"+strconv.Itoa(n))
			busy := a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "1"
			if a.Status != http.StatusUnauthorized && !busy {
				t.Errorf("%d %q %q", a.Status, a.Header, a.Body)
			}
		})
	}
	all.Wait()
	d.admits("eve", "eve", "secret")
}

// removal checks that a removed user is refused immediately.
func removal(t *testing.T, start Start) {
	d := open(t, start, bcryptOf(t, "bob", "secret")+argon2idOf("eve", "secret"))
	for range 3 {
		d.admits("bob", "bob", "secret")
		d.admits("eve", "eve", "secret")
	}
	d.load(argon2idOf("eve", "changed"))
	d.refuses(core.ReasonUnknownPrincipal, "bob", "secret")
	d.refuses(core.ReasonWrongSecret, "eve", "secret")
	d.admits("eve", "eve", "changed")
}

// weak checks that an invalid edit is reported with its location and changes nothing.
func weak(t *testing.T, start Start) {
	d := open(t, start, bcryptOf(t, "bob", "secret"))
	for _, bad := range []string{
		"hunter2", "$apr1$x$y", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "$6$x$y", "$argon2i$v=19$m=65536,t=3,p=4$x$y",
		"$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHQxMjM0NTY3OA$GpGVYgDeUebGZLYd9NGjAw",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQxMjM0NTY3OA$GpGVYgDeUebGZLYd9NGjAw",
	} {
		err := d.file.Load("users", []byte("# staff\neve:"+bad+"\n"))
		if err == nil || !strings.HasPrefix(err.Error(), `users:2: user "eve": `) || strings.Contains(err.Error(), bad) {
			t.Errorf("%s: error %v", bad, err)
		}
		d.admits("bob", "bob", "secret")
		d.refuses(core.ReasonUnknownPrincipal, "eve", "hunter2")
	}
	if err := d.file.Load("users", nil); err == nil {
		t.Errorf("an empty file: %v", err)
	}
	d.admits("bob", "bob", "secret")
}
