package jwttest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

const (
	isExpired   = `, error="invalid_token", error_description="The access token expired"`
	isForged    = `, error="invalid_token", error_description="The signature of the access token is not valid"`
	isUnknown   = `, error="invalid_token", error_description="The access token was signed with an unknown key"`
	isMalformed = `, error="invalid_token", error_description="The access token is malformed"`
)

// verdicts checks the answers of RFC 6750 §3 and §3.1.
func verdicts(t *testing.T, f authtest.Framework) {
	key := newKey(t)
	issuer, past, stranger := signs(t, key, 0), signs(t, key, -24*time.Hour), signs(t, newKey(t), 0)
	a := newApp(t, f, issuer)
	good, other := tokenBy(t, issuer, "write", "read"), tokenBy(t, stranger, "read")
	forged := good[:strings.LastIndexByte(good, '.')] + other[strings.LastIndexByte(other, '.'):]
	for range 2 { // also when the good token is cached
		a.answers("a good token", http.StatusOK, core.ReasonAllowed, "", authorization(good))
		a.answers("no token", http.StatusUnauthorized, core.ReasonNoCredentials, "")
		a.answers("another scheme", http.StatusUnauthorized, core.ReasonNoCredentials, "", "Authorization: Basic YTpi")
		a.answers("an expired token", http.StatusUnauthorized, core.ReasonExpired, isExpired, authorization(tokenBy(t, past, "read")))
		a.answers("a forged token", http.StatusUnauthorized, core.ReasonBadSignature, isForged, authorization(forged))
		a.answers("another issuer's key", http.StatusUnauthorized, core.ReasonUnknownKey, isUnknown, authorization(other))
		a.answers("half a token", http.StatusUnauthorized, core.ReasonMalformed, isMalformed, authorization(good[:strings.LastIndexByte(good, '.')]))
		a.answers("a token and more", http.StatusUnauthorized, core.ReasonMalformed, isMalformed, authorization(good+"="))
		a.answers("two tokens", http.StatusBadRequest, core.ReasonAmbiguous, `, error="invalid_request"`, authorization(good), authorization(good))
		a.answers("no scope", http.StatusForbidden, core.ReasonMissingScope, `, error="insufficient_scope", scope="read"`, authorization(tokenBy(t, issuer, "write")))
	}
}

// RunOutage makes an issuer's key server fail, and return with other keys, while an app on
// f verifies tokens. Valid tokens are accepted throughout, a token whose key might be new
// gets 503, and keys take effect with the fetch that brings them. Behaviour under load is
// covered by this package's own tests.
func RunOutage(t *testing.T, f authtest.Framework) {
	issuer, next := signs(t, newKey(t), 0), signs(t, newKey(t), 0)
	server := newKeyServer(t, issuer)
	a := newApp(t, f, server.keys)
	known, fresh := authorization(tokenBy(t, issuer, "read")), authorization(tokenBy(t, next, "read"))
	a.answers("before", http.StatusOK, core.ReasonAllowed, "", known)
	server.serves(nil)
	a.answers("meanwhile", http.StatusOK, core.ReasonAllowed, "", known)
	a.answers("a key that could be new", http.StatusServiceUnavailable, core.ReasonUnavailable, "", fresh)
	server.serves(next)
	a.answers("a key that is new", http.StatusOK, core.ReasonAllowed, "", fresh)
	a.answers("a key that is gone", http.StatusUnauthorized, core.ReasonUnknownKey, isUnknown, known)
}

// keyServer publishes the keys of a signer, and fails while it has none.
type keyServer struct {
	t       *testing.T
	signer  atomic.Pointer[jwtsign.Signer]
	keys    *jwtauth.RemoteKeys // fetches the keys repeatedly
	fetches chan jwtauth.Refresh
}

func newKeyServer(t *testing.T, s *jwtsign.Signer) *keyServer {
	t.Helper()
	k := &keyServer{t: t, fetches: make(chan jwtauth.Refresh)}
	k.signer.Store(s)
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	const often = 20 * time.Millisecond
	var err error
	k.keys, err = jwtauth.Fetch(server.URL, jwtauth.WithRefreshInterval(often, often), jwtauth.WithRetryInterval(often, often),
		jwtauth.WithRefreshObserver(func(r jwtauth.Refresh) {
			select {
			case k.fetches <- r:
			default: // no test waits for it
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.keys.Close)
	k.serves(s)
	return k
}

func (k *keyServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s := k.signer.Load()
	if s == nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	set, err := s.JWKS()
	if err != nil {
		k.t.Error(err)
	}
	_, _ = w.Write(set) // an error means that the client has gone
}

// serves waits until keys has fetched the keys of another signer, or has failed to.
func (k *keyServer) serves(s *jwtsign.Signer) {
	k.t.Helper()
	k.signer.Store(s)
	begun := false // the first fetch seen may have begun earlier
	for limit := time.After(authtest.TimeLimit(2 * time.Minute)); ; {
		select {
		case r := <-k.fetches:
			if begun && (r.Err == nil) == (s != nil) {
				return
			}
			begun = true
		case <-limit:
			k.t.Fatal("no such fetch")
		}
	}
}
