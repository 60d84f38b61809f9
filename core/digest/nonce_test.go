package digest

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

func TestNoncesAreNewEachTime(t *testing.T) {
	c := newClock() // stands still
	a := mustNew(t, nobody{}, WithClock(c.now))
	seen := map[string]bool{}
	for range 1000 {
		nonce := answers(t, a, SHA256)["nonce"]
		if seen[nonce] {
			t.Fatalf("D11: nonce %s twice", nonce)
		}
		seen[nonce] = true
	}
}

// Any change to a nonce makes it foreign, including the unused bits of base64.
func TestEditedNoncesAreForeign(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob"))
	m := answers(t, a, SHA256)
	nonce := m["nonce"]
	edited := []string{"x", nonce + "A", nonce + "=", nonce[1:], nonce[:len(nonce)-1] + "\n", strings.Repeat("A", len(nonce))}
	for i := range nonce {
		for _, c := range "A_-z0" {
			if byte(c) != nonce[i] {
				edited = append(edited, nonce[:i]+string(c)+nonce[i+1:])
			}
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(nonce) - 1
	for _, c := range alphabet {
		if byte(c) != nonce[last] {
			edited = append(edited, nonce[:last]+string(c))
		}
	}
	for _, e := range edited {
		if id, ok := a.sealers[0].open(e); ok {
			t.Errorf("D11: %q is opened as %x", e, id)
		}
	}
	for _, e := range edited[5:] {
		m := m.with("nonce", e)
		if _, err := a.Authenticate(t.Context(), get(m.sign(t, SHA256, "bob", secret, "GET").String())); reason(t, err) != ReasonForeignNonce {
			t.Errorf("D11: %q: %v", e, err)
		}
	}
}

func TestNoncesOfOthersAreForeign(t *testing.T) {
	store := storeOf(t, false, "bob")
	key := bytes.Repeat([]byte("k"), 32)
	ours := mustNew(t, store, WithNonceKey(key))
	other, err := New("another realm", nobody{}, WithNonceKey(key))
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*Authenticator{
		"a key of its own":   mustNew(t, store),
		"another key":        mustNew(t, store, WithNonceKey(bytes.Repeat([]byte("x"), 32))),
		"another realm":      other,
		"the key's own copy": ours,
	} {
		m := answers(t, ours, SHA256)
		theirs := answers(t, a, SHA256)
		m["nonce"] = theirs["nonce"]
		_, err := ours.Authenticate(t.Context(), get(m.sign(t, SHA256, "bob", secret, "GET").String()))
		if a == ours {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if reason(t, err) != ReasonForeignNonce {
			t.Errorf("D11 %s: %v", name, err)
		}
		if a != ours && m["opaque"] == theirs["opaque"] {
			t.Errorf("D11 %s: the opaque is the same", name)
		}
	}
}

// TestNonceLifetime is exact to the nanosecond, and only a valid response learns
// that the nonce is stale.
func TestNonceLifetime(t *testing.T) {
	c := newClock()
	a := mustNew(t, storeOf(t, false, "bob"), WithClock(c.now), WithNonceLifetime(time.Minute))
	m := answers(t, a, SHA256)
	issued, _ := a.sealers[0].open(m["nonce"])
	c.advance(time.Unix(0, issued.issued()).Add(time.Minute).Sub(c.now()))
	if _, err := a.Authenticate(t.Context(), get(m.String())); err != nil {
		t.Errorf("at the last moment: %v", err)
	}
	c.advance(1)
	m["nc"] = "00000002"
	_, err := a.Authenticate(t.Context(), get(m.sign(t, SHA256, "bob", secret, "GET").String()))
	if reason(t, err) != core.ReasonStale {
		t.Errorf("D12 a moment later: %v", err)
	}
	if v, _ := a.Challenges(get(), err)[0].Param("stale"); v != "true" {
		t.Errorf("D12: stale is %q", v)
	}
	for user, want := range map[string]core.Reason{"bob": core.ReasonWrongSecret, "eve": core.ReasonUnknownPrincipal} {
		wrong := m.with("username", user).with("response", strings.Repeat("0", 64))
		_, err := a.Authenticate(t.Context(), get(wrong.String()))
		if reason(t, err) != want {
			t.Errorf("D12 a wrong response of %s: %v", user, err)
		}
		if _, told := a.Challenges(get(), err)[0].Param("stale"); told {
			t.Errorf("D12 %s learns of a stale nonce after a wrong response", user)
		}
	}
}

// TestRestartKeepsReplaysOut: a restart forgets used counts, so it refuses earlier
// nonces.
func TestRestartKeepsReplaysOut(t *testing.T) {
	c := newClock()
	opts := []Option{WithClock(c.now), WithNonceKey(bytes.Repeat([]byte("k"), 32))}
	store := storeOf(t, false, "bob")
	before := mustNew(t, store, opts...)
	used := answers(t, before, SHA256)
	if _, err := before.Authenticate(t.Context(), get(used.String())); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Second)
	after := mustNew(t, store, opts...)
	if _, err := after.Authenticate(t.Context(), get(used.String())); reason(t, err) != core.ReasonStale {
		t.Errorf("D13 replayed after a restart: %v", err)
	}
}

// TestInstancesShareNonces: their clocks differ.
func TestInstancesShareNonces(t *testing.T) {
	key := WithNonceKey(bytes.Repeat([]byte("k"), 32))
	store := storeOf(t, false, "bob")
	slow, fast := newClock(), newClock()
	fast.advance(30 * time.Second)
	a := mustNew(t, store, key, WithClock(slow.now), WithNonceLifetime(time.Minute), WithMaxNonces(1))
	b := mustNew(t, store, key, WithClock(fast.now), WithNonceLifetime(time.Minute))
	fromB := answers(t, b, SHA256)
	if _, err := a.Authenticate(t.Context(), get(fromB.String())); err != nil {
		t.Errorf("a nonce from a faster clock: %v", err)
	}
	if _, err := a.Authenticate(t.Context(), get(fromB.String())); reason(t, err) != core.ReasonReplayed {
		t.Errorf("D13: %v", err)
	}
	for range 3 { // each drops the one before, the first of them from the future
		if _, err := a.Authenticate(t.Context(), get(answers(t, a, SHA256).String())); err != nil {
			t.Errorf("its own nonce after one from a faster clock: %v", err)
		}
	}
	fast.advance(time.Minute)
	if _, err := a.Authenticate(t.Context(), get(answers(t, b, SHA256).String())); reason(t, err) != core.ReasonStale {
		t.Errorf("a nonce from further ahead than a lifetime: %v", err)
	}
}

// TestManyAtOnce: of identical concurrent requests exactly one passes, and of different
// ones all (D13). Run it under -race.
func TestManyAtOnce(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob"))
	m := answers(t, a, SHA256)
	var fields []string
	for nc := range 200 {
		m["nc"] = hex8(nc + 1)
		fields = append(fields, m.sign(t, SHA256, "bob", secret, "GET").String())
	}
	var passed, replays atomic.Int64
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range fields {
				field := fields[(i*7+worker*50)%len(fields)] // out of order, each by all
				_, err := a.Authenticate(t.Context(), get(field))
				switch {
				case err == nil:
					passed.Add(1)
				case reason(t, err) == core.ReasonReplayed:
					replays.Add(1)
				}
				a.Challenges(get(), core.ErrNoCredentials)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 200 || replays.Load() != 600 {
		t.Errorf("%d passed and %d were replays, want 200 and 600", passed.Load(), replays.Load())
	}
}

// TestKeyOfNoncesChanges: nonces of a previous key are accepted, and their replays
// refused; new ones use the first key, and an opaque is valid only with its own key.
func TestKeyOfNoncesChanges(t *testing.T) {
	key := func(c string) []byte { return bytes.Repeat([]byte(c), 32) }
	store, c := storeOf(t, false, "bob"), newClock()
	old := mustNew(t, store, WithClock(c.now), WithNonceKey(key("a"), key("b"))) // knows the next one already
	both := mustNew(t, store, WithClock(c.now), WithNonceKey(key("b"), key("z"), key("a")))
	c.advance(time.Second)
	wants := func(a *Authenticator, m answer, want core.Reason) {
		t.Helper()
		_, err := a.Authenticate(t.Context(), get(m.sign(t, SHA256, "bob", secret, "GET").String()))
		if want == "" && err != nil || want != "" && reason(t, err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	fromOld, fromBoth := answers(t, old, SHA256), answers(t, both, SHA256)
	wants(both, fromOld, "")
	wants(both, fromOld, core.ReasonReplayed)
	wants(old, fromBoth, "")
	wants(mustNew(t, store, WithClock(c.now), WithNonceKey(key("a"))), fromBoth, ReasonForeignNonce)
	fromOld["opaque"] = fromBoth["opaque"]
	wants(both, fromOld, ReasonForeignNonce)
	if _, err := New(realm, store, WithNonceKey(key("a"), make([]byte, 31))); err == nil || !strings.Contains(err.Error(), "previous key 1 of 31 bytes") {
		t.Errorf("%v", err)
	}
}
