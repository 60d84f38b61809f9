package htpasswd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// hashOf is a hash of the lowest cost there is, or of another.
func hashOf(t testing.TB, password string, cost ...int) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), append(cost, bcrypt.MinCost)[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func mustParse(t testing.TB, text string, opts ...Option) *File {
	t.Helper()
	f, err := Parse("users", strings.NewReader(text), append([]Option{WithMinCost(bcrypt.MinCost)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParseReadsUsers(t *testing.T) {
	h := hashOf(t, "secret")
	for _, c := range []struct {
		name, text string
		users      []string
	}{
		{"one", "alice:" + h, []string{"alice"}},
		{"comments and blank lines", "# staff\n\n  \t\nalice:" + h + "\n  # more\nbob:" + h + "\n", []string{"alice", "bob"}},
		{"CRLF", "# staff\r\n\r\nalice:" + h + "\r\nbob:" + h + "\r\n", []string{"alice", "bob"}},
		{"letter case tells users apart", "alice:" + h + "\nAlice:" + h, []string{"alice", "Alice"}},
		{"names outside ASCII and with spaces inside", "J\u00e4s\u00f8n Doe:" + h, []string{"J\u00e4s\u00f8n Doe"}},
		{"$2b$", "alice:$2b$" + h[4:], []string{"alice"}},
		{"$2y$, as htpasswd writes", "alice:$2y$" + h[4:], []string{"alice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := mustParse(t, c.text)
			if n := len(f.table.Load().users); n != len(c.users) {
				t.Errorf("%d users, want %d", n, len(c.users))
			}
			for _, user := range c.users {
				p, err := f.VerifyPassword(t.Context(), user, "secret")
				if err != nil {
					t.Errorf("%s: %v", user, err)
				} else if p.ID() != user || p.Scheme() != "Basic" {
					t.Errorf("principal %q of scheme %q", p.ID(), p.Scheme())
				}
			}
		})
	}
}

func TestParseNamesLineAndRemedy(t *testing.T) {
	h := hashOf(t, "secret", 10)
	costing := func(cost string) string { return h[:4] + cost + h[6:] }
	good := "good:" + h + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"no colon", good + "hunter2", "f:2: no colon: a line is user:hash"},
		{"C03 empty user", ":" + h, "f:1: empty user"},
		{"C04 control character in the user", "a\tb:" + h, `f:1: user "a\tb" contains a control character`},
		{"C04 user that is not UTF-8", "j\xe4n:" + h, `f:1: user "j\xe4n" is not valid UTF-8`},
		{"indented user", " bob:" + h, `f:1: user " bob" begins or ends with a space`},
		{"long user", strings.Repeat("x", 256) + ":" + h, "f:1: user of 256 bytes: must have at most 255"},
		{"user twice", good + "# x\n" + good, `f:3: user "good" is already on line 1`},
		{"byte order mark", "\uFEFF" + good, "f:1: begins with a byte order mark"},
		{"C11 plain text", "bob:hunter2", "f:1: user \"bob\": crypt hash or plain text: only bcrypt and argon2id are accepted: make the line with `sallyport passwd"},
		{"C11 empty hash", "bob:", "no hash after the colon: only bcrypt and argon2id"},
		{"C11 apr1", "bob:$apr1$hunter2$hunter2", "MD5 hash ($apr1$): only bcrypt and argon2id"},
		{"C11 MD5 crypt", "bob:$1$hunter2", "MD5 hash ($1$): only bcrypt and argon2id"},
		{"C11 SHA-256 crypt", "bob:$5$hunter2", "SHA-256 crypt hash ($5$): only bcrypt and argon2id"},
		{"C11 SHA-512 crypt", "bob:$6$hunter2", "SHA-512 crypt hash ($6$): only bcrypt and argon2id"},
		{"C11 SHA-1", "bob:{SHA}hunter2", "SHA-1 hash ({SHA}): only bcrypt and argon2id"},
		{"C11 LDAP", "bob:{SSHA}hunter2", "LDAP-style hash ({…}): only bcrypt and argon2id"},
		{"other modular hash", "bob:$7$hunter2", "hash of another kind ($…$): only bcrypt and argon2id"},
		{"argon2i", "bob:$argon2i$v=19$hunter2", "argon2i hash ($argon2i$): only bcrypt and argon2id"},
		{"argon2d", "bob:$argon2d$v=19$hunter2", "argon2d hash ($argon2d$): only bcrypt and argon2id"},
		{"bcrypt without revision", "bob:$2$" + h[4:], "outdated bcrypt hash ($2$): only bcrypt and argon2id"},
		{"bcrypt of a faulty implementation", "bob:$2x$" + h[4:], "faulty bcrypt ($2x$): only bcrypt and argon2id"},
		{"C09 cost too low", "bob:" + costing("09"), `f:1: user "bob": bcrypt cost 9 is below 10`},
		{"C09 cost too high", "bob:" + costing("17"), `f:1: user "bob": bcrypt cost 17 is above 16`},
		{"cut hash", "bob:" + h[:59], "malformed bcrypt hash of 59 characters, not 60"},
		{"hash and more", "bob:" + h + ":x", "malformed bcrypt hash of 62 characters, not 60"},
		{"space after the hash", "bob:" + h + " ", "malformed bcrypt hash of 61 characters"},
		{"cost that is no number", "bob:" + costing("1x"), "malformed bcrypt hash: no cost"},
		{"cost that begins before 0", "bob:" + costing("/2"), "malformed bcrypt hash: no cost"},
		{"cost that begins behind 9", "bob:" + costing(":2"), "malformed bcrypt hash: no cost"},
		{"cost that ends before 0", "bob:" + costing("1/"), "malformed bcrypt hash: no cost"},
		{"cost without its end", "bob:" + h[:6] + "." + h[7:], "malformed bcrypt hash: no cost"},
		{"character outside the alphabet", "bob:" + h[:20] + "*" + h[21:], "malformed bcrypt hash: bad character 21"},
		{"last character that no hash has", "bob:" + h[:59] + "/", "malformed bcrypt hash: bad last character"},
		{"empty file", "", "f: no user in the file: make a line with `sallyport passwd"},
		{"comments only", "# nobody\n", "f: no user in the file"},
		{"too large", good + strings.Repeat("#", MaxFileBytes), "f: larger than 16777216 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f", strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v does not say %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), h[8:40]) {
				t.Errorf("error %q repeats a secret", err)
			}
		})
	}
}

func TestParseReportsAllFindingsAtOnce(t *testing.T) {
	h := hashOf(t, "x", 10)
	_, err := Parse("dir/users", strings.NewReader("\uFEFFa\n:"+h+"\nbob:x\nbob:"+h+"\ngood:"+h+"\n"))
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d findings, want 5:\n%v", len(lines), err)
	}
	for i, prefix := range []string{"dir/users:1: begins", "dir/users:1: no colon", "dir/users:2: empty", "dir/users:3: user", "dir/users:4: user"} {
		if !strings.HasPrefix(lines[i], prefix) {
			t.Errorf("finding %d is %q, want %s…", i+1, lines[i], prefix)
		}
	}
}

func TestCostLimitsAreInclusive(t *testing.T) {
	h := hashOf(t, "x", 10)
	for cost := 4; cost <= 17; cost++ {
		text := fmt.Sprintf("bob:%s%02d%s", h[:4], cost, h[6:])
		if _, err := Parse("f", strings.NewReader(text)); (err == nil) != (10 <= cost && cost <= 16) {
			t.Errorf("C09: cost %d: %v", cost, err)
		}
		if _, err := Parse("f", strings.NewReader(text), WithMinCost(12)); (err == nil) != (12 <= cost && cost <= 16) {
			t.Errorf("C09: cost %d with WithMinCost(12): %v", cost, err)
		}
	}
}

func TestOptionsAreCheckedAtAssembly(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  Option
		says string
	}{
		{"cost below bcrypt's own", WithMinCost(3), "minimum cost 3"},
		{"cost above the limit", WithMinCost(17), "minimum cost 17"},
		{"no concurrency", WithConcurrency(0), "concurrency 0"},
		{"endless concurrency", WithConcurrency(4097), "must be 1 to 4096"},
		{"too little memory", WithMaxMemory(47104<<10 - 1), "max memory 48234495"},
		{"too much memory", WithMaxMemory(64<<30 + 1), "must be 48234496 to 68719476736"},
		{"negative wait", WithMaxWait(-time.Second), "max wait -1s"},
		{"nil option", nil, "option 1 is nil"},
	} {
		if _, err := Parse("f", strings.NewReader(""), c.opt); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.says)
		}
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	if _, err := OpenFile(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "sallyport passwd") {
		t.Errorf("absent file: %v", err)
	}
	if err := os.WriteFile(path, []byte("alice:"+hashOf(t, "secret")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(path); err == nil || !strings.HasPrefix(err.Error(), path+":1: ") {
		t.Errorf("cost too low: %v", err)
	}
	f, err := OpenFile(path, WithMinCost(4))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.VerifyPassword(t.Context(), "alice", "secret"); err != nil {
		t.Error(err)
	}
	if _, err := OpenFile(t.TempDir()); err == nil {
		t.Error("a directory was read as a password file")
	}
}

func TestParseOfABrokenReader(t *testing.T) {
	if _, err := Parse("f", iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if _, err := Parse("f", nil); err == nil {
		t.Error("no error without a reader")
	}
}
