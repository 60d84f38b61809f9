package sessiontest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/session"
)

// RunStore tests a store shared by several instances. Each call of open returns another
// handle on the same store, as another instance would have.
func RunStore(t *testing.T, open func(t *testing.T) session.ContextStore) {
	for name, test := range map[string]func(t *testing.T, one, other session.ContextStore){
		"entries are kept, replaced and removed":   entriesLive,
		"entries expire":                           entriesExpire,
		"the end of a context ends a call":         callsEnd,
		"writes at the same time":                  writesAtOnce,
		"a session of one instance is all others'": sessionsShared,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t), open(t)) })
	}
}

// newKey returns a key of the kind that stores receive.
func newKey() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// holds fails the test unless the key has this data, or no entry if want is nil.
func holds(t *testing.T, s session.ContextStore, key string, want []byte) {
	t.Helper()
	for _, find := range []func() ([]byte, bool, error){
		func() ([]byte, bool, error) { return s.FindCtx(t.Context(), key) }, func() ([]byte, bool, error) { return s.Find(key) },
	} {
		got, found, err := find()
		if err != nil || found != (want != nil) || !bytes.Equal(got, want) {
			t.Errorf("found %.40q, %v, %v, want %.40q", got, found, err, want)
		}
	}
}

func commit(t *testing.T, s session.ContextStore, key string, data []byte, expires time.Time) {
	t.Helper()
	if err := s.CommitCtx(t.Context(), key, data, expires); err != nil {
		t.Fatal(err)
	}
}

func entriesLive(t *testing.T, one, other session.ContextStore) {
	key, until := newKey(), time.Now().Add(time.Hour)
	holds(t, one, key, nil)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, data := range [][]byte{[]byte("first"), all, {}, bytes.Repeat(all, 32<<10/256)} {
		commit(t, one, key, data, until)
		holds(t, one, key, data)
		holds(t, other, key, data)
		holds(t, one, newKey(), nil)
	}
	if err := other.Commit(key, []byte("last"), until); err != nil {
		t.Error(err)
	}
	holds(t, one, key, []byte("last"))
	for range 2 { // a missing entry is not an error
		if err := one.DeleteCtx(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	holds(t, other, key, nil)
	if err := one.Delete(key); err != nil {
		t.Error(err)
	}
}

func entriesExpire(t *testing.T, one, other session.ContextStore) {
	key := newKey()
	commit(t, one, key, []byte("data"), time.Now().Add(-time.Second))
	holds(t, other, key, nil)
	commit(t, one, key, []byte("data"), time.Now().Add(time.Hour))
	holds(t, other, key, []byte("data"))
	commit(t, one, key, []byte("data"), time.Now().Add(-time.Hour)) // replaces a live entry
	holds(t, other, key, nil)
	commit(t, one, key, []byte("data"), time.Now().Add(100*time.Millisecond))
	limit := time.Now().Add(authtest.TimeLimit(time.Minute))
	for {
		_, found, err := other.FindCtx(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return
		}
		if time.Now().After(limit) {
			t.Fatal("it does not expire")
		}
	}
}

func callsEnd(t *testing.T, one, _ session.ContextStore) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, found, err := one.FindCtx(ctx, newKey()); !errors.Is(err, context.Canceled) || found {
		t.Errorf("find: %v, %v", found, err)
	}
	if err := one.CommitCtx(ctx, newKey(), []byte("x"), time.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if err := one.DeleteCtx(ctx, newKey()); !errors.Is(err, context.Canceled) {
		t.Errorf("delete: %v", err)
	}
}

// writesAtOnce checks that nothing fails because of concurrent writes, including writes to
// the same keys and during the removal of expired entries.
func writesAtOnce(t *testing.T, one, other session.ContextStore) {
	key := newKey()
	var all sync.WaitGroup
	for w := range 4 {
		s := []session.ContextStore{one, other}[w%2]
		all.Go(func() {
			for n := range 16 {
				own, data := newKey(), fmt.Append(nil, w, " ", n)
				if err := s.CommitCtx(t.Context(), key, data, time.Now().Add(time.Hour)); err != nil {
					t.Error(err)
				}
				if err := s.CommitCtx(t.Context(), own, data, time.Now().Add(time.Duration(n%2-1)*time.Hour)); err != nil {
					t.Error(err)
				}
				if err := s.CommitCtx(t.Context(), own, data, time.Now().Add(time.Hour)); err != nil {
					t.Error(err)
				}
				holds(t, s, own, data)
			}
		})
	}
	all.Wait()
	if data, found, err := one.FindCtx(t.Context(), key); err != nil || !found || !strings.Contains(string(data), " ") {
		t.Errorf("%q, %v, %v", data, found, err)
	}
}

// sessionsShared checks that two managers behave like one, so that a logout at one of them
// takes effect at the other immediately.
func sessionsShared(t *testing.T, one, other session.ContextStore) {
	var managers []*session.Manager
	for _, s := range []session.ContextStore{one, other} {
		m := must.Have(session.New(session.WithStore(s), session.WithStoreTimeout(authtest.TimeLimit(5*time.Second))))(t)
		managers = append(managers, m)
	}
	p := must.Have(core.NewPrincipal(core.PrincipalInfo{ID: "alice", Roles: []string{"editor"}, Claims: map[string]any{"plan": "pro"}}))(t)
	ask := func(cookie *http.Cookie) *http.Request {
		r := httptest.NewRequest("POST", "https://app.example/", nil)
		if cookie != nil {
			r.AddCookie(cookie)
		}
		return r
	}
	login := func() *http.Cookie {
		fields := must.Have(managers[0].Login(t.Context(), httpauth.Request(ask(nil)), p))(t)
		w := httptest.NewRecorder()
		httpauth.AddFields(w.Header(), fields...)
		return w.Result().Cookies()[0]
	}
	signedIn := func(cookie *http.Cookie, want bool) {
		t.Helper()
		for i, m := range managers {
			got, err := m.Authenticate(t.Context(), httpauth.Request(ask(cookie)))
			if want && (err != nil || got.ID() != "alice" || !got.HasRole("editor")) || !want && !errtype.In[*core.CredentialError](err) {
				t.Errorf("instance %d: %v, %v, want signed in: %v", i, got, err, want)
			}
		}
	}
	first, second, third := login(), login(), login()
	signedIn(first, true)
	if _, err := managers[1].Logout(t.Context(), httpauth.Request(ask(first))); err != nil {
		t.Fatal(err)
	}
	signedIn(first, false)
	signedIn(second, true)
	if err := managers[1].LogoutEverywhere(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	signedIn(second, false)
	signedIn(third, false)
	signedIn(login(), true)
}
