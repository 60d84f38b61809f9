package dpop_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/internal/prove"
)

var (
	nonceKey = []byte("0123456789abcdef0123456789abcdef")
	otherKey = []byte("another key of thirty-two bytes.")
)

// nonceFor is the nonce in the answer to a request without one.
func (b bench) nonceFor(t testing.TB) string {
	t.Helper()
	r := request("/reports", b.key.Sign(t, b.proof()))
	p, err := b.Authenticate(t.Context(), r)
	refused(t, p, err, core.CodeUseNonce, core.ReasonStale)
	fields := b.Scheme().Inform(r, nil, err)
	if len(fields) != 1 || fields[0].Name != "DPoP-Nonce" || fields[0].Value == "" {
		t.Fatalf("fields %v, want exactly one DPoP-Nonce", fields)
	}
	for _, c := range fields[0].Value {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' { // RFC 9449 §8.1
			t.Errorf("nonce %q holds %q", fields[0].Value, c)
		}
	}
	return fields[0].Value
}

// with is a signed valid proof with a nonce.
func (b bench) with(t testing.TB, nonce any) string {
	t.Helper()
	p := b.proof()
	p.Claims["nonce"] = nonce
	return b.key.Sign(t, p)
}

// B21: RFC 9449 §8, §9 and §11.3.
func TestNonces(t *testing.T) {
	b := newBench(t, dpop.WithNonces(time.Minute, nonceKey))
	nonce := b.nonceFor(t)
	for range 2 { // a nonce is valid for many proofs (§11.1)
		r := request("/reports", b.with(t, nonce))
		p, err := b.Authenticate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if fields := b.Scheme().Inform(r, p, nil); len(fields) != 0 {
			t.Errorf("a fresh nonce is replaced: %v", fields)
		}
	}
	b.nonceFor(t) // a proof without one does not pass again

	b.clock.set(noon.Add(31 * time.Second))
	r := request("/reports", b.with(t, nonce))
	p, err := b.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	fields := b.Scheme().Inform(r, p, nil) // §8.2
	if len(fields) != 1 || fields[0].Name != "DPoP-Nonce" || fields[0].Value == nonce {
		t.Fatalf("a nonce in its second half is not replaced: %v", fields)
	}
	b.clock.set(noon.Add(time.Minute))
	if _, err := b.Authenticate(t.Context(), request("/reports", b.with(t, nonce))); err != nil {
		t.Errorf("refused in time: %v", err)
	}
	b.clock.set(noon.Add(time.Minute + time.Millisecond))
	p, err = b.Authenticate(t.Context(), request("/reports", b.with(t, nonce)))
	refused(t, p, err, core.CodeUseNonce, core.ReasonStale)
	if _, err = b.Authenticate(t.Context(), request("/reports", b.with(t, fields[0].Value))); err != nil {
		t.Errorf("the next nonce is refused: %v", err)
	}
}

// altered is s with another letter at i.
func altered(s string, i int) string {
	letter := "a"
	if s[i] == 'a' {
		letter = "b"
	}
	return s[:i] + letter + s[i+1:]
}

func TestForgedNonces(t *testing.T) {
	b := newBench(t, dpop.WithNonces(time.Minute, nonceKey))
	good := b.nonceFor(t)
	for _, nonce := range []string{
		"", "x", good + "A", good[1:], altered(good, 0), altered(good, len(good)-1), good[:len(good)-2] + "\r\n", good[:16] + "\n" + good[16:],
		strings.ToLower(good), good + "=", strings.Repeat("A", len(good)),
	} {
		p, err := b.Authenticate(t.Context(), request("/reports", b.with(t, nonce)))
		refused(t, p, err, core.CodeUseNonce, core.ReasonStale)
	}
	for _, nonce := range []any{nil, 7, []string{good}} {
		p, err := b.Authenticate(t.Context(), request("/reports", b.with(t, nonce)))
		refused(t, p, err, core.CodeInvalidProof, core.ReasonBadClaim)
	}
}

func TestNonceKeysCanBeChanged(t *testing.T) {
	b := newBench(t, dpop.WithNonces(time.Minute, nonceKey))
	nonce := b.nonceFor(t)
	changed, err := dpop.New("api", address, b.verifier, dpop.WithClock(b.clock.now), dpop.WithNonces(time.Minute, otherKey, nonceKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := changed.Authenticate(t.Context(), request("/reports", b.with(t, nonce))); err != nil {
		t.Errorf("a nonce by the previous key: %v", err)
	}
	next := bench{changed, b.verifier, b.key, b.clock}.nonceFor(t)
	p, err := b.Authenticate(t.Context(), request("/reports", b.with(t, next)))
	refused(t, p, err, core.CodeUseNonce, core.ReasonStale)
}

func TestNonceOfAFasterClock(t *testing.T) {
	b := newBench(t, dpop.WithNonces(time.Minute, nonceKey))
	b.clock.set(noon.Add(30 * time.Second))
	near := b.nonceFor(t)
	b.clock.set(noon.Add(31 * time.Second))
	far := b.nonceFor(t)
	b.clock.set(noon)
	if _, err := b.Authenticate(t.Context(), request("/reports", b.with(t, near))); err != nil {
		t.Errorf("30 s ahead: %v", err)
	}
	p, err := b.Authenticate(t.Context(), request("/reports", b.with(t, far)))
	refused(t, p, err, core.CodeUseNonce, core.ReasonStale)
}

func TestNonceKeyIsCopied(t *testing.T) {
	key := append([]byte(nil), nonceKey...)
	b := newBench(t, dpop.WithNonces(time.Minute, key))
	nonce := b.nonceFor(t)
	clear(key)
	if _, err := b.Authenticate(t.Context(), request("/reports", b.with(t, nonce))); err != nil {
		t.Errorf("the key changed with the caller's slice: %v", err)
	}
}

func TestNoNonceWithoutTheOption(t *testing.T) {
	if newBench(t).Scheme().Inform != nil {
		t.Error("a scheme without nonces sends one")
	}
	asking := newBench(t, dpop.WithNonces(time.Minute, nonceKey))
	inform := asking.Scheme().Inform
	for name, fields := range map[string][]core.Field{
		"no credentials":   inform(request("/"), nil, core.ErrNoCredentials),
		"a bad token":      inform(request("/"), nil, &core.CredentialError{Code: core.CodeInvalidToken}),
		"an outage":        inform(request("/"), nil, errors.New("down")),
		"no proof at all":  inform(request("/"), &core.Principal{}, nil),
		"not base64":       inform(request("/", "a.!.c"), &core.Principal{}, nil),
		"not JSON":         inform(request("/", "a.AAAA.c"), &core.Principal{}, nil),
		"nobody":           inform(request("/", asking.with(t, "x")), nil, nil),
		"a nonce of wrong": inform(request("/", asking.with(t, prove.Members{})), &core.Principal{}, nil),
	} {
		if len(fields) != 0 {
			t.Errorf("%s: %v", name, fields)
		}
	}
}
