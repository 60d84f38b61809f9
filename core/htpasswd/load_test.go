package htpasswd

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core/basic"
)

func mustNew(t testing.TB, opts ...Option) *File {
	t.Helper()
	f, err := New(append([]Option{WithMinCost(4)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAnEmptyFileIsAnOutage(t *testing.T) {
	f := mustNew(t)
	p, err := f.VerifyPassword(t.Context(), "alice", "secret")
	wantBusy(t, p, err, errEmpty)
	if f.Version() != 0 {
		t.Errorf("version %d", f.Version())
	}
}

func TestLoadReplacesAllUsersOrNone(t *testing.T) {
	f := mustNew(t)
	alice, bob := "alice:"+hashOf(t, "secret"), "bob:"+hashOf(t, "secret")
	for _, step := range []struct {
		text, says string
		users      []string
		version    uint64
	}{
		{"alice", "users:1: no colon", nil, 0},
		{alice, "", []string{"alice"}, 1},
		{alice + "\n" + bob, "", []string{"alice", "bob"}, 2},
		{bob + "\nalice:plain", "users:2: user \"alice\": crypt hash or plain text", []string{"alice", "bob"}, 2},
		{"", "users: no user in the file", []string{"alice", "bob"}, 2},
		{strings.Repeat("#", MaxFileBytes+1), "users: larger than", []string{"alice", "bob"}, 2},
		{bob, "", []string{"bob"}, 3},
		{bob, "", []string{"bob"}, 4},
	} {
		err := f.Load("users", []byte(step.text))
		if (err == nil) != (step.says == "") || err != nil && !strings.HasPrefix(err.Error(), step.says) {
			t.Errorf("Load = %v, want %q", err, step.says)
		}
		if f.Version() != step.version {
			t.Errorf("version %d, want %d", f.Version(), step.version)
		}
		for _, user := range []string{"alice", "bob"} {
			p, err := f.VerifyPassword(t.Context(), user, "secret")
			if got, want := p != nil, strings.Contains(strings.Join(step.users, " "), user); got != want {
				t.Errorf("version %d: %s: %v, %v", step.version, user, p, err)
			}
		}
	}
}

// A removed user is out at the next request, though the password was cached.
func TestACacheForgetsWhatAFileNoLongerHas(t *testing.T) {
	f := mustNew(t)
	users, err := basic.NewCache(f)
	if err != nil {
		t.Fatal(err)
	}
	load := func(text string) {
		if err := f.Load("users", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	load("alice:" + hashOf(t, "secret"))
	var compared int
	f.matches = func(h *hash, password []byte) (bool, error) {
		compared++
		return h.matches(password)
	}
	for range 3 {
		if _, err := users.VerifyPassword(t.Context(), "alice", "secret"); err != nil {
			t.Error(err)
		}
	}
	if compared != 1 {
		t.Errorf("%d hashes for three requests", compared)
	}
	load("alice:" + hashOf(t, "changed"))
	if _, err := users.VerifyPassword(t.Context(), "alice", "secret"); !errors.Is(err, basic.ErrWrongPassword) {
		t.Errorf("a password that was changed: %v", err)
	}
	load("bob:" + hashOf(t, "secret"))
	if _, err := users.VerifyPassword(t.Context(), "alice", "secret"); !errors.Is(err, basic.ErrUnknownUser) {
		t.Errorf("a user who was removed: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	f := mustParse(t, "alice:"+hashOf(t, "secret"), WithConcurrency(4))
	other := []byte("alice:" + hashOf(t, "secret") + "\nbob:" + argon2idOf("secret", 7168, 5, 1))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if i%4 == 2 {
				if err := f.Load("users", other); err != nil {
					t.Error(err)
				}
			}
			if _, err := f.VerifyPassword(t.Context(), "alice", "secret"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := f.VerifyPassword(t.Context(), "bob", "secret"); err != nil || f.Version() != 5 {
		t.Errorf("version %d, bob is %v", f.Version(), err)
	}
}

// C07: names and passwords in NFC, on both sides (RFC 7617 §2.1).
func TestC07NormalizationForms(t *testing.T) {
	const (
		composed, decomposed = "J\u00e4s\u00f8n", "Ja\u0308s\u00f8n"
		right, apart         = "\u00e9t\u00e9 \u212b", "e\u0301te\u0301 A\u030a" // \u212b has \u00c5 for its form C
	)
	for _, file := range []string{composed, decomposed} {
		f := mustParse(t, file+":"+hashOf(t, "\u00e9t\u00e9 \u00c5")+"\nbob:"+argon2idOf("\u00e9t\u00e9 \u00c5", 7168, 5, 1))
		for _, user := range []string{composed, decomposed} {
			for _, password := range []string{right, apart} {
				p, err := f.VerifyPassword(t.Context(), user, password)
				if err != nil || p.ID() != composed {
					t.Errorf("%+q with %+q: %v, %v", user, password, p, err)
				}
				if _, err := f.VerifyPassword(t.Context(), "bob", password); err != nil {
					t.Errorf("bob with %+q: %v", password, err)
				}
			}
			if f.Spelling(user) != composed {
				t.Errorf("spelling %+q", f.Spelling(user))
			}
		}
		// Compatibility characters are others.
		if _, err := f.VerifyPassword(t.Context(), composed, "\u00e9t\u00e9 \uff21\u030a"); !errors.Is(err, basic.ErrWrongPassword) {
			t.Errorf("with a full-width letter: %v", err)
		}
	}
}

// C07 and C09: 72 bytes are counted in form C.
func TestC07LongPasswordsAreMeasuredInTheirForm(t *testing.T) {
	password := strings.Repeat("\u00e9", 36)
	f := mustParse(t, "alice:"+hashOf(t, password))
	if _, err := f.VerifyPassword(t.Context(), "alice", strings.Repeat("e\u0301", 36)); err != nil {
		t.Errorf("108 bytes that are 72 in form C: %v", err)
	}
	if _, err := f.VerifyPassword(t.Context(), "alice", password+"e"); !errors.Is(err, basic.ErrWrongPassword) {
		t.Errorf("73 bytes: %v", err)
	}
}

func TestC07UsersThatAreTheSameInFormC(t *testing.T) {
	h := hashOf(t, "x", 10)
	_, err := Parse("f", strings.NewReader("\u00e4:"+h+"\n# x\na\u0308:"+h+"\n"))
	if want := `f:3: user "a\u0308" is the same as "\u00e4" on line 1 in Unicode normalization form C: remove one of the two`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
