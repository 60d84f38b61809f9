package digest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/linefile"
)

var (
	hashSHA = strings.Repeat("0a", 32)
	hashMD5 = strings.Repeat("0b", 16)
)

func newFile(t testing.TB, opts ...FileOption) *File {
	t.Helper()
	f, err := NewFile(realm, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFileForms(t *testing.T) {
	text := "# users\n\n  \t\n" +
		"bob:" + realm + ":" + hashSHA + "\r\n" +
		"bob:" + realm + ":" + hashMD5 + "\n" +
		"bob:" + realm + ":" + strings.Repeat("0c", 32) + ":SHA-512-256\n" +
		"J\u00e4s\u00f8n Doe:" + realm + ":" + hashSHA + ":SHA-256\n" +
		"old:" + realm + ":" + hashMD5 + ":MD5" // no line break at the end
	f := newFile(t, WithMD5())
	if err := f.Load("users", []byte(text)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		user string
		a    Algorithm
		want string
	}{
		{"bob", SHA256, hashSHA},
		{"bob", MD5, hashMD5},
		{"bob", SHA512256, strings.Repeat("0c", 32)},
		{"J\u00e4s\u00f8n Doe", SHA256, hashSHA},
		{"old", MD5, hashMD5},
		{"old", SHA256, ""},
		{"J\u00e4s\u00f8n Doe", SHA512256, ""},
		{"# users", SHA256, ""},
		{"", SHA256, ""},
	} {
		for how, find := range map[string]func() (Entry, error){
			"name": func() (Entry, error) { return f.FindUser(t.Context(), realm, c.user, c.a) },
			"D17 hash": func() (Entry, error) {
				return f.FindUserHash(t.Context(), realm, HashUser(c.a, c.user, realm), c.a)
			},
		} {
			e, err := find()
			if c.want == "" {
				if !errors.Is(err, ErrUnknownUser) {
					t.Errorf("%s %q %s: %v", how, c.user, c.a, err)
				}
				continue
			}
			if err != nil || e.A1 != c.want || e.Principal.ID() != c.user {
				t.Errorf("%s %q %s: %v, %v", how, c.user, c.a, e, err)
			}
		}
	}
}

// A realm may contain the field separator.
func TestRealmWithColons(t *testing.T) {
	f, err := NewFile("a:b")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Load("users", []byte("bob:a:b:"+hashSHA)); err != nil {
		t.Fatal(err)
	}
	if e, err := f.FindUser(t.Context(), "a:b", "bob", SHA256); err != nil || e.A1 != hashSHA {
		t.Errorf("%v, %v", e, err)
	}
}

func TestFileFindings(t *testing.T) {
	good := "bob:" + realm + ":" + hashSHA + "\n"
	for _, c := range []struct{ name, text, says string }{
		{"empty", "", "users: no user"},
		{"comments alone", "# bob\n", "users: no user"},
		{"no colon", good + "hunter2\n", "users:2: no colon"},
		{"two fields", "bob:" + realm, "users:1: user \"bob\": the line is not for realm"},
		{"another realm", good + "eve:other:" + hashSHA, "users:2: user \"eve\": the line is not for realm \"api@example.org\""},
		{"realm in another letter case", "eve:API@example.org:" + hashSHA, "users:1:"},
		{"empty user", ":" + realm + ":" + hashSHA, "users:1: empty user"},
		{"long user", strings.Repeat("x", 256) + ":" + realm + ":" + hashSHA, "256 bytes"},
		{"user not UTF-8", "b\xf6b:" + realm + ":" + hashSHA, "UTF-8"},
		{"control character", "b\x01b:" + realm + ":" + hashSHA, "control character"},
		{"space before the user", " bob:" + realm + ":" + hashSHA, "space"},
		{"D01 MD5", good + "eve:" + realm + ":" + hashMD5, "users:2: user \"eve\": a hash of MD5"},
		{"D01 MD5 by name", "eve:" + realm + ":" + hashMD5 + ":MD5", "WithMD5"},
		{"a password", "bob:" + realm + ":hunter2", "hash of 7 digits"},
		{"a password with a colon", "bob:" + realm + ":x:hunter2", "is not an algorithm"},
		{"too many fields", "bob:" + realm + ":" + hashSHA + ":SHA-256:hunter2", "is not an algorithm"},
		{"D18 -sess", "bob:" + realm + ":" + hashSHA + ":SHA-256-sess", "is not an algorithm"},
		{"hash and algorithm differ", "bob:" + realm + ":" + hashMD5 + ":SHA-256", "64 lower-case hex digits"},
		{"upper case", "bob:" + realm + ":" + strings.ToUpper(hashSHA), "lower-case"},
		{"no hex", "bob:" + realm + ":" + strings.Repeat("xy", 32), "lower-case hex"},
		{"space after the hash", "bob:" + realm + ":" + hashSHA + " ", "65 digits"},
		{"a user twice", good + "\n" + good, "users:3: user \"bob\" has a hash of SHA-256 on line 1"},
		{"byte order mark", "\uFEFF" + good, "users:1: begins with a byte order mark"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := newFile(t).Load("users", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
			for _, secret := range []string{"hunter2", hashSHA, hashMD5} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("D19: %q is leaked in %v", secret, err)
				}
			}
		})
	}
}

func TestFindingsAreReportedAtOnceUpToALimit(t *testing.T) {
	err := newFile(t).Load("users", []byte(strings.Repeat("x\n", 1000)))
	if err == nil {
		t.Fatal("loaded")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != linefile.MaxFindings+1 || !strings.HasPrefix(lines[49], "users:50: ") || !strings.Contains(lines[100], "not read") {
		t.Errorf("%d findings, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestLoadKeepsTheLastGoodContent(t *testing.T) {
	f := newFile(t)
	var down *core.UnavailableError
	if _, err := f.FindUser(t.Context(), realm, "bob", SHA256); !errors.As(err, &down) {
		t.Errorf("before the first load: %v", err)
	}
	line := func(user string) []byte { return []byte(user + ":" + realm + ":" + hashSHA + "\n") }
	if err := f.Load("users", line("bob")); err != nil {
		t.Fatal(err)
	}
	large := make([]byte, MaxFileBytes+1)
	for _, bad := range [][]byte{nil, []byte("eve"), append(line("eve"), "x"...), large} {
		if err := f.Load("users", bad); err == nil {
			t.Errorf("%.20q: loaded", bad)
		}
		if _, err := f.FindUser(t.Context(), realm, "bob", SHA256); err != nil {
			t.Errorf("%.20q: bob: %v", bad, err)
		}
	}
	data := line("eve")
	if err := f.Load("users", data); err != nil {
		t.Fatal(err)
	}
	clear(data)
	if _, err := f.FindUser(t.Context(), realm, "bob", SHA256); !errors.Is(err, ErrUnknownUser) {
		t.Errorf("bob, who was removed: %v", err)
	}
	if e, err := f.FindUser(t.Context(), realm, "eve", SHA256); err != nil || e.A1 != hashSHA {
		t.Errorf("eve: %v, %v", e, err)
	}
	var internal *core.InternalError
	for _, err := range []error{second(f.FindUser(t.Context(), "other", "eve", SHA256)), second(f.FindUserHash(t.Context(), "other", hashSHA, SHA256))} {
		if !errors.As(err, &internal) {
			t.Errorf("another realm: %v", err)
		}
	}
}

func second(_ Entry, err error) error { return err }

// Run it under -race.
func TestLoadDuringRequests(t *testing.T) {
	f := storeOf(t, false, "bob")
	a := mustNew(t, f)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 100 {
			text := fmt.Sprintf("bob:%s:%s\nuser%d:%s:%s\n", realm, hashA1(t, SHA256, "bob", secret), i, realm, hashSHA)
			if err := f.Load("users", []byte(text)); err != nil {
				t.Error(err)
			}
		}
	})
	for range 100 {
		if _, err := a.Authenticate(t.Context(), get(answers(t, a, SHA256).String())); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

func TestOpenFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users.htdigest")
	if err := os.WriteFile(path, []byte("bob:"+realm+":"+hashSHA+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path, realm)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.FindUser(t.Context(), realm, "bob", SHA256); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name, path, realm string
		opts              []FileOption
		says              string
	}{
		{"no file", filepath.Join(dir, "none"), realm, nil, "none: make a line with digest.HashA1"},
		{"a directory", dir, realm, nil, "directory"},
		{"another realm", path, "other", nil, path + ":1: "},
		{"empty realm", path, "", nil, "empty realm"},
		{"nil option", path, realm, []FileOption{nil}, "option 1"},
		{"failing option", path, realm, []FileOption{func(*File) error { return errors.New("no") }}, "digest: no"},
	} {
		if _, err := OpenFile(c.path, c.realm, c.opts...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.says)
		}
	}
}
