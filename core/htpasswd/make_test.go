package htpasswd_test

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/htpasswd"
)

func TestHashesThatAreMadeAreGood(t *testing.T) {
	for _, password := range []string{"a", "correct horse", "pass:word", "cafe\u0301", strings.Repeat("x", 72)} {
		bcrypt, err := htpasswd.HashBcrypt(password, 10)
		if err != nil {
			t.Fatal(err)
		}
		argon, err := htpasswd.HashArgon2id(password)
		if err != nil {
			t.Fatal(err)
		}
		text, err := htpasswd.SetUser("f", nil, "bob", bcrypt)
		if err == nil {
			text, err = htpasswd.SetUser("f", text, "ann", argon)
		}
		if err != nil {
			t.Fatal(err)
		}
		users, err := htpasswd.Parse("f", strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range []string{"bob", "ann"} {
			if _, err := users.VerifyPassword(t.Context(), user, password); err != nil {
				t.Errorf("%s with %q: %v", user, password, err)
			}
			if _, err := users.VerifyPassword(t.Context(), user, password+"x"); err == nil {
				t.Errorf("%s: any password is good", user)
			}
		}
	}
	if one, err := htpasswd.HashArgon2id("same"); err != nil {
		t.Error(err)
	} else if two, err := htpasswd.HashArgon2id("same"); err != nil || one == two {
		t.Errorf("two hashes share their salt: %v", err)
	}
}

func TestHashesThatCannotBeGoodAreNotMade(t *testing.T) {
	for name, make := range map[string]func() (string, error){
		"empty, bcrypt":   func() (string, error) { return htpasswd.HashBcrypt("", 12) },
		"empty, argon2id": func() (string, error) { return htpasswd.HashArgon2id("") },
		"73 bytes":        func() (string, error) { return htpasswd.HashBcrypt(strings.Repeat("x", 73), 10) },
		"cost 9":          func() (string, error) { return htpasswd.HashBcrypt("x", 9) },
		"cost 17":         func() (string, error) { return htpasswd.HashBcrypt("x", 17) },
	} {
		if hash, err := make(); err == nil {
			t.Errorf("%s: %s", name, hash)
		}
	}
}

func TestSetUserKeepsTheRestOfTheFile(t *testing.T) {
	const (
		one = "$2y$10$y8tCRCefKPn8JSRZewkJ0eJR1ydyHT0BEHZhmPnBA12VOuKTOOYJa"
		two = "$2y$11$y8tCRCefKPn8JSRZewkJ0eJR1ydyHT0BEHZhmPnBA12VOuKTOOYJa"
	)
	for _, tc := range []struct{ name, text, user, want string }{
		{"first user", "", "bob", "bob:" + two + "\n"},
		{"another user", "# users\nann:" + one + "\n\n# end", "bob", "# users\nann:" + one + "\n\n# end\nbob:" + two + "\n"},
		{"the same user", "# bob:x\nbob:" + one + "\nann:" + one + "\n", "bob", "# bob:x\nbob:" + two + "\nann:" + one + "\n"},
		{"a last line with its end", "ann:" + one + "\n", "bob", "ann:" + one + "\nbob:" + two + "\n"},
		{"CRLF stays", "bob:" + one + "\r\nann:" + one + "\r\n", "bob", "bob:" + two + "\r\nann:" + one + "\r\n"},
		{"another spelling", "e\u0301va:" + one + "\n", "\u00e9va", "\u00e9va:" + two + "\n"},
	} {
		got, err := htpasswd.SetUser("f", []byte(tc.text), tc.user, two)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %q, %v", tc.name, got, err)
		}
	}
	for name, tc := range map[string]struct{ text, user, hash string }{
		"no user":         {"", "", one},
		"colon":           {"", "a:b", one},
		"comment":         {"ann:" + one + "\n", "#a", one},
		"indented":        {"ann:" + one + "\n", " #a", one},
		"a name alone":    {"ann:" + one + "\nbob\n", "bob", one},
		"line break":      {"", "a\nb", one},
		"no hash":         {"", "bob", "hunter2"},
		"a broken line":   {"ann\n", "bob", one},
		"a user twice":    {"bob:" + one + "\nbob:" + one + "\n", "bob", two},
		"a faulty hash":   {"ann:$apr1$x$y\n", "bob", one},
		"a hash and more": {"", "bob", one + "\nann:" + one[:5]},
		"another user":    {"", "bob", one + "\nann:" + one},
		"a line end more": {"", "bob", one + "\r\n"},
	} {
		if got, err := htpasswd.SetUser("f", []byte(tc.text), tc.user, tc.hash); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}
