package recipes

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// Links is the scheme of signed links. It is made by NewLinks and safe for
// concurrent use.
type Links struct {
	key        []byte
	challenges []challenge.Challenge
}

// NewLinks makes the scheme for a realm. key is at least 32 random bytes.
func NewLinks(realm string, key []byte) (*Links, error) {
	if len(key) < 32 {
		return nil, errors.New("links: the key has fewer than 32 bytes: make one with openssl rand 32")
	}
	c, err := challenge.New("Link", challenge.Param{Name: "realm", Value: realm})
	if err != nil {
		return nil, fmt.Errorf("links: %w", err)
	}
	return &Links{key, []challenge.Challenge{c}}, nil
}

// Scheme says what a guard has to know before any request.
func (l *Links) Scheme() core.Scheme {
	return core.Scheme{
		Name:    "Link",
		Sender:  core.SentByClient, // no browser adds a link's query to another page's request
		Attempt: core.Unguessable,  // 256 bits
	}
}

// Sign is the query for user and path until a time.
func (l *Links) Sign(user, path string, until time.Time) string {
	seconds := strconv.FormatInt(until.Unix(), 10)
	return "user=" + url.QueryEscape(user) + "&until=" + seconds + "&mac=" + base64.RawURLEncoding.EncodeToString(l.mac(user, path, seconds))
}

func (l *Links) mac(user, path, until string) []byte {
	h := hmac.New(sha256.New, l.key)
	fmt.Fprintf(h, "%q %q %q", user, path, until)
	return h.Sum(nil)
}

// Authenticate reads the query. The link is good for its path alone.
func (l *Links) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	mac, n := r.Query("mac")
	user, users := r.Query("user")
	until, times := r.Query("until")
	switch {
	case n == 0:
		return nil, core.ErrNoCredentials // and so another scheme is asked
	case n > 1 || users != 1 || times != 1:
		return nil, fmt.Errorf("links: %w: a parameter is missing, or there twice", core.ErrAmbiguousCredentials)
	}
	route, err := r.Route()
	if err != nil {
		return nil, err
	}
	got, err := base64.RawURLEncoding.Strict().DecodeString(mac)
	if err != nil || !hmac.Equal(got, l.mac(user, route.Path, until)) {
		return nil, refused(core.ReasonBadSignature, "the link was not signed here, or for another path")
	}
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil || time.Now().After(time.Unix(seconds, 0)) {
		return nil, refused(core.ReasonExpired, "the link has expired")
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
}

// refused is 401. The reason and the text are for the log alone.
func refused(reason core.Reason, text string) error {
	return &core.CredentialError{Reason: reason, Code: core.CodeInvalidCredentials, Err: errors.New("links: " + text)}
}

// Challenges says how to authenticate, wherever the answer is 401.
func (l *Links) Challenges(core.Request, error) []challenge.Challenge { return l.challenges }

func withLinks(links core.Authenticator, others ...core.Authenticator) (*core.Guard, error) {
	return core.NewGuard(append(others, links))
}

// TestOwnScheme runs docs/own-scheme.md.
func TestOwnScheme(t *testing.T) {
	checkSource(t, "own-scheme.md", "ownscheme_test.go")
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	links, err := NewLinks("reports", key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := withLinks(links, authtest.Names{}); err != nil {
		t.Errorf("beside another scheme: %v", err)
	}
	events := new(authtest.Recorder)
	guard, err := core.NewGuard([]core.Authenticator{links}, core.WithAuthorizer(anybody{}), core.WithObserver(events))
	if err != nil {
		t.Fatal(err)
	}
	s := newService(events, guard)
	later := time.Now().Add(time.Hour)
	good := links.Sign("erin", "/reports/7", later)
	for name, tc := range map[string]struct {
		target string
		status int
		reason core.Reason
	}{
		"good":            {"/reports/7?" + good, 200, core.ReasonAllowed},
		"a name to spell": {"/reports/7?" + links.Sign("a&b+c%d#e", "/reports/7", later), 200, core.ReasonAllowed},
		"no link":         {"/reports/7", 401, core.ReasonNoCredentials},
		"another path":    {"/reports/8?" + good, 401, core.ReasonBadSignature},
		"another user":    {"/reports/7?" + strings.Replace(good, "erin", "sam", 1), 401, core.ReasonBadSignature},
		"a later time":    {"/reports/7?" + strings.Replace(good, "until=", "until=1", 1), 401, core.ReasonBadSignature},
		"cut off":         {"/reports/7?" + good[:len(good)-1], 401, core.ReasonBadSignature},
		"expired":         {"/reports/7?" + links.Sign("erin", "/reports/7", time.Now().Add(-time.Second)), 401, core.ReasonExpired},
		"a user twice":    {"/reports/7?" + good + "&user=sam", 400, core.ReasonAmbiguous},
		"a mac twice":     {"/reports/7?" + good + "&mac=", 400, core.ReasonAmbiguous},
		"no time":         {"/reports/7?user=erin&mac=" + good[len(good)-43:], 400, core.ReasonAmbiguous},
		"runs into path":  {"/reports/7?" + links.Sign("erin /reports/7", "", later), 401, core.ReasonBadSignature},
		"of another site": {"/reports/7?" + otherLinks(t).Sign("erin", "/reports/7", later), 401, core.ReasonBadSignature},
	} {
		target := strings.ReplaceAll(tc.target, " ", "%20")
		if status, body := s.ask(t, "GET", target); status != tc.status || events.Last(t).Reason != tc.reason {
			t.Errorf("%s: %d %s, want %d %s: %s", name, status, events.Last(t).Reason, tc.status, tc.reason, body)
		}
	}
	if _, err := NewLinks("reports", key[:31]); err == nil {
		t.Error("a short key was accepted")
	}
}

func otherLinks(t *testing.T) *Links {
	t.Helper()
	links, err := NewLinks("reports", []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return links
}

// anybody may do anything.
type anybody struct{}

func (anybody) Authorize(context.Context, *core.Principal, core.Access) (core.Decision, error) {
	return core.Decision{Allowed: true}, nil
}
