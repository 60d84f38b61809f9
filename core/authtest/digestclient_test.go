package authtest

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/digest"
)

func (u digestUsers) FindUserHash(ctx context.Context, realm, hash string, a digest.Algorithm) (digest.Entry, error) {
	for _, user := range u {
		if digestSum(string(a), user+":"+realm) == hash {
			return u.FindUser(ctx, realm, user, a)
		}
	}
	return digest.Entry{}, digest.ErrUnknownUser
}

// refusesFor requests the door with r and fails the test unless the answer is 401 with that
// reason, without stale=true. It returns the answer.
func (d *digestDoor) refusesFor(reason core.Reason, r digestReply) Answer {
	d.t.Helper()
	a := d.refuses(401, core.CodeInvalidCredentials, r.header())
	if e := d.rec.Last(d.t); e.Reason != reason {
		d.t.Errorf("%s: reason %s, want %s", r.header(), e.Reason, reason)
	}
	if strings.Contains(strings.Join(a.Header.Values("WWW-Authenticate"), "\n"), "stale") {
		d.t.Errorf("%s: told of a stale nonce", r.header())
	}
	return a
}

// digestSum is H of RFC 7616 §3.2. The suite computes by itself what a client sends, so
// that core/digest is not measured by its own values.
func digestSum(algorithm, text string) string {
	switch algorithm {
	case "SHA-256":
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	case "SHA-512-256":
		sum := sha512.Sum512_256([]byte(text))
		return hex.EncodeToString(sum[:])
	case "SHA-512 cut short":
		sum := sha512.Sum512([]byte(text))
		return hex.EncodeToString(sum[:32])
	default:
		sum := md5.Sum([]byte(text))
		return hex.EncodeToString(sum[:])
	}
}

// digestReply is what a client sends, parameter by parameter.
type digestReply map[string]string

// signed returns a copy with the response of RFC 7616 §3.4.1 for a user and a request
// without a body, computed with the given algorithm whatever the parameter says.
func (r digestReply) signed(algorithm, user, password, method string) digestReply {
	hash, session := strings.CutSuffix(algorithm, "-sess")
	h := func(parts ...string) string { return digestSum(hash, strings.Join(parts, ":")) }
	a1, a2 := h(user, r["realm"], password), h(method, r["uri"])
	if session { // §3.4.2
		a1 = h(a1, r["nonce"], r["cnonce"])
	}
	if r["qop"] == "auth-int" { // §3.4.3
		a2 = h(method, r["uri"], h(""))
	}
	return r.with("response", h(a1, r["nonce"], r["nc"], r["cnonce"], r["qop"], a2))
}

// with returns a copy with a parameter changed, or removed if value is "".
func (r digestReply) with(name, value string) digestReply {
	r = maps.Clone(r)
	r[name] = value
	if value == "" {
		delete(r, name)
	}
	return r
}

// header is the Authorization line. nc, qop, algorithm, userhash and extended
// values are bare, as in the examples of RFC 7616 §3.9.
func (r digestReply) header() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r)) {
		value := r[name]
		if !slices.Contains([]string{"nc", "qop", "algorithm", "userhash", "username*"}, name) {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		parts = append(parts, name+"="+value)
	}
	return "Authorization: Digest " + strings.Join(parts, ", ")
}

// digestDoor is a door for bob, and for others where a case names them.
type digestDoor struct {
	*door
	rec   *Recorder
	clock *digestClock
}

// digestClock is a clock that only tests advance, between requests.
type digestClock struct{ now time.Time }

func newDigestDoor(t *testing.T, f Framework, realm string, users []string, opts ...digest.Option) *digestDoor {
	t.Helper()
	clock := &digestClock{time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	a, err := digest.New(realm, digestUsers(append(users, "bob")), append(opts, digest.WithClock(func() time.Time { return clock.now }))...)
	if err != nil {
		t.Fatal(err)
	}
	g, rec := guardOf(t, []core.Authenticator{a})
	return &digestDoor{newDoor(t, f, Gate{Kind: "Authenticate", Guard: g}), rec, clock}
}

// digestUsers is a store of users whose password is "open sesame", for each
// algorithm.
type digestUsers []string

func (u digestUsers) FindUser(_ context.Context, realm, user string, a digest.Algorithm) (digest.Entry, error) {
	if !slices.Contains(u, user) {
		return digest.Entry{}, digest.ErrUnknownUser
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: user})
	return digest.Entry{Principal: p, A1: digestSum(string(a), user+":"+realm+":open sesame")}, err
}

// reply returns bob's valid answer to a new challenge for algorithm, for GET /door.
func (d *digestDoor) reply(algorithm string) digestReply {
	d.t.Helper()
	return d.answerTo(d.get(), algorithm)
}

// answerTo returns bob's valid answer to one of the challenges of a.
func (d *digestDoor) answerTo(a Answer, algorithm string) digestReply {
	d.t.Helper()
	cs, err := a.challenges()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, c := range cs {
		if name, _ := c.Param("algorithm"); c.Scheme() != "Digest" || name != algorithm {
			continue
		}
		r := digestReply{"username": "bob", "uri": "/door", "algorithm": algorithm, "cnonce": "0a4f113b", "nc": "00000001", "qop": "auth"}
		for _, name := range []string{"realm", "nonce", "opaque"} {
			r[name], _ = c.Param(name)
		}
		return r.signed(algorithm, "bob", "open sesame", "GET")
	}
	d.t.Fatalf("no challenge of Digest for %s in %q", algorithm, a.Header.Values("WWW-Authenticate"))
	return nil
}
