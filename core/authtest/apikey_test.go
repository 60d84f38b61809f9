package authtest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/rule"
)

var apiKeyCases = []testCase{
	{"F01 a key is right whole or not at all", apiKeyWhole},
	{"F02 only a hash is stored, an unknown ID is answered like a wrong secret", apiKeyUnknown},
	{"F03 one place, and a key in two is ambiguous", apiKeyPlaces},
	{"F03 a query is read where it is allowed and told nobody", apiKeyQuery},
	{"F04 outcomes", apiKeyOutcomes},
	{"F04 H19 a key revoked or an owner disabled counts from the next request", apiKeyDisabled},
	{"A19 the challenge has a scheme of its own", apiKeyChallenge},
	{"A20 a success is private", apiKeyCaching},
	{"invariant 4 a store that fails logs nobody out", apiKeyOutage},
	{"invariant 9 what a key proves stays as it was", apiKeyRetention},
}

// keyring is a key file that the test edits, with the keys by owner.
type keyring struct {
	t    testing.TB
	file apikey.File
	text []byte
	keys map[string]string
	info map[string]apikey.Info
}

// newKeyring makes a key for each owner.
func newKeyring(t testing.TB, owners ...string) *keyring {
	t.Helper()
	k := &keyring{t: t, keys: map[string]string{}, info: map[string]apikey.Info{}}
	for _, owner := range owners {
		k.add(apikey.Info{Owner: owner})
	}
	return k
}

// add adds another key.
func (k *keyring) add(info apikey.Info) {
	k.t.Helper()
	key, id, hash := apikey.Generate()
	info.ID, info.Hash = id, hash
	k.keys[info.Owner], k.info[info.Owner] = key, info
	text, err := apikey.Append("keys", k.text, info)
	k.load(text, err)
}

// revoke revokes the key of an owner.
func (k *keyring) revoke(owner string) {
	k.t.Helper()
	text, err := apikey.Revoke("keys", k.text, time.Now(), "lost", k.info[owner].ID)
	k.load(text, err)
}

func (k *keyring) load(text []byte, err error) {
	k.t.Helper()
	if err == nil {
		err = k.file.Load("keys", text)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	k.text = text
}

// line returns the header line with the key of an owner.
func (k *keyring) line(owner string) string { return keyLine(k.keys[owner]) }

func keyLine(key string) string { return "X-API-Key: " + key }

// guard returns a guard that accepts the keys.
func (k *keyring) guard(opts ...apikey.Option) (*core.Guard, *Recorder) {
	k.t.Helper()
	a, err := apikey.New("r", &k.file, opts...)
	if err != nil {
		k.t.Fatal(err)
	}
	return guardOf(k.t, []core.Authenticator{a})
}

const apiKeyHeader = `ApiKey realm="r", header="X-API-Key"`

// tellsNo fails the test if an answer or an event contains a key.
func (k *keyring) tellsNo(rec *Recorder, answers ...Answer) {
	k.t.Helper()
	text := fmt.Sprintf("%+v", answers)
	for _, e := range rec.Events() {
		text += fmt.Sprintf("%+v", e)
		if e.Cause != nil {
			text += e.Cause.Error()
		}
	}
	for owner, key := range k.keys {
		if _, secret, _ := strings.Cut(key, "."); strings.Contains(text, secret) {
			k.t.Errorf("the key of %s is told", owner)
		}
	}
}

func apiKeyWhole(t *testing.T, f Framework) {
	keys := newKeyring(t, "bob", "eve")
	g, rec := keys.guard()
	key, other := keys.keys["bob"], keys.keys["eve"]
	id, _, _ := strings.Cut(key, ".")
	for _, kind := range []string{"Authenticate", "Optional"} {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g})
		for _, wrong := range []string{
			"", id, id + ".", key[:len(key)-1], key + "a", key + "=", strings.ToUpper(key), key[3:], key[1:],
			id + key[len(id)+1:], id + other[len(id):], altered(altered(key, 5), 6), key + "," + key, key + " " + key,
			"ApiKey " + key, `"` + key + `"`, strings.Repeat(key, 20), id + ".\x80", "*", "%",
		} {
			a := d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, keyLine(wrong))
			challenged(t, wrong, a, apiKeyHeader)
			if e := rec.Last(t); e.Reason != core.ReasonMalformed || e.Scheme != "ApiKey" || e.PrincipalID != "" {
				t.Errorf("%q: event %s %s %s", wrong, e.Scheme, e.Reason, e.PrincipalID)
			}
		}
		d.admits("bob", keyLine(key))
		d.admits("bob", "x-api-key:  "+key+"  ")
		d.admits("eve", keyLine(other))
	}
	keys.tellsNo(rec)
}

func apiKeyUnknown(t *testing.T, f Framework) {
	keys := newKeyring(t, "bob", "eve")
	for owner, key := range keys.keys {
		if _, secret, _ := strings.Cut(key, "."); strings.Contains(string(keys.text), secret) {
			t.Errorf("the key of %s is in the file", owner)
		}
	}
	g, rec := keys.guard()
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	d.admits("bob", keys.line("bob"))
	// With eve's hash under bob's ID, bob has a key with a wrong secret.
	bob, eve := keys.info["bob"].Hash.String(), keys.info["eve"].Hash.String()
	keys.load([]byte(strings.ReplaceAll(string(keys.text), bob, eve)), nil)
	wrong := d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, keys.line("bob"))
	if e := rec.Last(t); e.Reason != core.ReasonWrongSecret {
		t.Errorf("wrong secret: %s", e.Reason)
	}
	unknown := d.get(newKeyring(t, "nobody").line("nobody"))
	if e := rec.Last(t); e.Reason != core.ReasonUnknownPrincipal {
		t.Errorf("unknown: %s", e.Reason)
	}
	malformed := d.get("X-API-Key: x")
	keys.revoke("bob")
	revoked := d.get(keys.line("bob"))
	for what, other := range map[string]Answer{"unknown": unknown, "malformed": malformed, "wrong and revoked": revoked} {
		if diff := difference(wrong, other); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	keys.tellsNo(rec, wrong, unknown, malformed, revoked)
}

// ask requests the door with a query.
func (d *door) ask(query string, header ...string) Answer {
	d.t.Helper()
	return Send(d.t, d.addr, Request("GET", "/door"+query, header...))
}

func apiKeyPlaces(t *testing.T, f Framework) {
	keys := newKeyring(t, "bob", "eve")
	bob, eve := keys.keys["bob"], keys.keys["eve"]
	for _, place := range []struct {
		opts             []apikey.Option
		challenge        string
		header, query    string // where bob's key belongs
		twice, elsewhere [][2]string
	}{
		{
			nil, apiKeyHeader, keyLine(bob), "",
			[][2]string{{keyLine(bob) + "\n" + keyLine(bob), ""}, {keyLine(bob) + "\nX-Other: 1\nx-api-key:", ""}, {keyLine(bob), "?api_key=" + bob},
				{keyLine(bob), "?a=b&api_key=" + eve}, {keyLine(bob) + "\nAuthorization: ApiKey " + eve, ""}, {keyLine(bob) + "\nAuthorization: Bearer " + bob, ""}},
			[][2]string{{"Authorization: ApiKey " + bob, ""}, {"Accept: */*", "?api_key=" + bob}, {"Accept: */*", "?X-API-Key=" + bob}, {"Cookie: X-API-Key=" + bob, ""}},
		},
		{
			[]apikey.Option{apikey.WithAuthorizationScheme("ApiKey")}, `ApiKey realm="r"`, "Authorization: apikey " + bob, "",
			[][2]string{{"Authorization: ApiKey " + bob + "\nAuthorization: ApiKey " + bob, ""}, {"Authorization: ApiKey " + bob + "\n" + keyLine(eve), ""}},
			[][2]string{{keyLine(bob), ""}, {"Authorization: Bearer " + bob, ""}, {"Authorization: " + bob, ""}},
		},
		{
			[]apikey.Option{apikey.WithQueryParameter("key")}, `ApiKey realm="r", query="key"`, "Accept: */*", "?key=" + bob,
			[][2]string{{"Accept: */*", "?key=" + bob + "&key=" + bob}, {"Accept: */*", "?key=&key=" + bob}, {keyLine(bob), "?key=" + bob}, {"Accept: */*", "?key=" + bob + "&api_key=" + eve}},
			[][2]string{{keyLine(bob), ""}, {"Accept: */*", "?KEY=" + bob}},
		},
	} {
		g, rec := keys.guard(place.opts...)
		d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
		if a := d.ask(place.query, place.header); a.Body != handled+"bob" {
			t.Errorf("%s: %d %s", place.challenge, a.Status, a.Body)
		}
		for _, c := range place.twice {
			a := d.ask(c[1], c[0])
			refused(t, place.challenge, a, http.StatusBadRequest, core.CodeInvalidRequest)
			challenged(t, place.challenge, a, "")
			if e := rec.Last(t); e.Reason != core.ReasonAmbiguous {
				t.Errorf("%q: reason %s", c, e.Reason)
			}
		}
		for _, c := range place.elsewhere {
			a := d.ask(c[1], c[0])
			refused(t, place.challenge, a, http.StatusUnauthorized, core.CodeAuthenticationRequired)
			challenged(t, place.challenge, a, place.challenge)
		}
		if n := d.runs.Load(); n != 1 {
			t.Errorf("%s: the handler ran %d times", place.challenge, n)
		}
		keys.tellsNo(rec)
	}
}

// apiKeyQuery: the answer is private, as RFC 6750 §2.3 requires, and neither events nor
// answers repeat the query.
func apiKeyQuery(t *testing.T, f Framework) {
	keys := newKeyring(t, "bob")
	g, rec := keys.guard(apikey.WithQueryParameter("api_key"))
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	good := d.ask("?api_key=" + keys.keys["bob"])
	if good.Body != handled+"bob" || good.Header.Get("Cache-Control") != "private" {
		t.Errorf("%d %q, Cache-Control %q", good.Status, good.Body, good.Header.Get("Cache-Control"))
	}
	keys.revoke("bob")
	bad := d.ask("?api_key=" + keys.keys["bob"])
	refused(t, "revoked", bad, http.StatusUnauthorized, core.CodeInvalidCredentials)
	empty := d.ask("?api_key=")
	refused(t, "empty", empty, http.StatusUnauthorized, core.CodeInvalidCredentials)
	keys.tellsNo(rec, bad, empty)
}

func apiKeyOutcomes(t *testing.T, f Framework) {
	keys := newKeyring(t, "bob", "eve")
	keys.add(apikey.Info{Owner: "ada", Roles: []string{"admin"}, Scopes: []string{"read"}, Tenant: "globex", Expires: time.Now().Add(time.Hour)})
	keys.add(apikey.Info{Owner: "old", Roles: []string{"admin"}, Expires: time.Now().Add(-time.Second)})
	keys.revoke("eve")
	g, rec := keys.guard()
	d := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.Role("admin"), rule.Scope("read")}})
	for _, c := range []struct {
		header, code string
		status       int
		challenge    string
		reason       core.Reason
	}{
		{"Accept: */*", core.CodeAuthenticationRequired, 401, apiKeyHeader, core.ReasonNoCredentials},
		{"X-API-Key: bad", core.CodeInvalidCredentials, 401, apiKeyHeader, core.ReasonMalformed},
		{keys.line("eve"), core.CodeInvalidCredentials, 401, apiKeyHeader, core.ReasonRevoked},
		{keys.line("old"), core.CodeInvalidCredentials, 401, apiKeyHeader, core.ReasonExpired},
		{keys.line("bob"), core.CodeForbidden, 403, "", core.ReasonMissingRole},
	} {
		challenged(t, string(c.reason), d.refuses(c.status, c.code, c.header), c.challenge)
		if e := rec.Last(t); e.Reason != c.reason {
			t.Errorf("%s: reason %s", c.reason, e.Reason)
		}
	}
	d.admits("ada", keys.line("ada"))
	if e := rec.Last(t); e.PrincipalID != "ada" || e.Scheme != "ApiKey" {
		t.Errorf("event %+v", e)
	}
	keys.tellsNo(rec)
}

// apiKeyDisabled: nothing about a key is cached between requests. A revoked key is 401; a
// suspended owner is 403, since another key would not help.
func apiKeyDisabled(t *testing.T, f Framework) {
	keys := newKeyring(t, "bob", "eve")
	var suspended sync.Map
	account := rule.Account(func(_ context.Context, p *core.Principal) (rule.AccountState, error) {
		if _, yes := suspended.Load(p.ID()); yes {
			return rule.AccountSuspended, nil
		}
		return rule.AccountActive, nil
	})
	g, _ := keys.guard()
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g}, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{account}})
	d.admits("bob", keys.line("bob"))
	d.admits("eve", keys.line("eve"))
	keys.revoke("bob")
	d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, keys.line("bob"))
	d.admits("eve", keys.line("eve"))
	suspended.Store("eve", true)
	challenged(t, "suspended", d.refuses(http.StatusForbidden, rule.CodeAccountSuspended, keys.line("eve")), "")
	suspended.Delete("eve")
	d.admits("eve", keys.line("eve"))
}

// apiKeyChallenge: no browser knows the scheme, so none prompts for a password; scripts get
// the same answer.
func apiKeyChallenge(t *testing.T, f Framework) {
	g, _ := newKeyring(t, "bob").guard()
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, header := range []string{"Accept: text/html", "Sec-Fetch-Mode: cors", "Sec-Fetch-Mode: navigate", "X-Requested-With: XMLHttpRequest"} {
		challenged(t, header, d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, header), apiKeyHeader)
	}
}

func apiKeyCaching(t *testing.T, f Framework) {
	keys := newKeyring(t, "bob")
	g, _ := keys.guard()
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for header, want := range map[string]string{keys.line("bob"): "private", "X-API-Key: x": "no-store", "Accept: */*": "no-store"} {
		a := d.get(header)
		if got := strings.Join(a.Header.Values("Cache-Control"), "|"); got != want || a.vary() != "x-api-key" {
			t.Errorf("%d: Cache-Control %q, Vary %q", a.Status, got, a.vary())
		}
	}
}

// apiKeyOutage: a file that was never loaded stands for any store that is down.
func apiKeyOutage(t *testing.T, f Framework) {
	keys := newKeyring(t, "bob")
	a, err := apikey.New("r", new(apikey.File))
	if err != nil {
		t.Fatal(err)
	}
	g, _ := guardOf(t, []core.Authenticator{a})
	for _, kind := range []string{"Authenticate", "Optional"} {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g})
		challenged(t, kind, d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, keys.line("bob")), "")
	}
}

// apiKeyRetention: principals and events of many requests on one connection, each with
// another key, are compared after the last one.
func apiKeyRetention(t *testing.T, f Framework) {
	const requests = 60
	var owners []string
	for i := range requests {
		owners = append(owners, fmt.Sprintf("owner-%02d", i))
	}
	keys := newKeyring(t, owners...)
	for name, opt := range map[string]apikey.Option{"header": apikey.WithHeader("X-API-Key"), "query": apikey.WithQueryParameter("key")} {
		g, rec := keys.guard(opt)
		var kept []*core.Principal
		d := &door{t: t}
		route := d.route(Gate{Kind: "Authenticate", Guard: g})
		route.Handler = func(x Exchange) error {
			kept = append(kept, x.Principal())
			return d.handle(x)
		}
		c, err := dial(f.Start(t, App{Routes: []Route{route}}))
		if err != nil {
			t.Fatal(err)
		}
		for _, owner := range owners {
			request := Request("GET", "/door?key="+keys.keys[owner])
			if name == "header" {
				request = Request("GET", "/door", keys.line(owner))
			}
			if a, err := c.roundTrip(request); err != nil || a.Body != handled+owner {
				t.Errorf("%s: %q %v", owner, a.Body, err)
			}
		}
		c.close()
		events := rec.Events()
		if len(kept) != requests || len(events) != requests {
			t.Fatalf("%d principals and %d events", len(kept), len(events))
		}
		for i, owner := range owners {
			id, _ := kept[i].Claim(apikey.ClaimID)
			if kept[i].ID() != owner || id != keys.info[owner].ID || events[i].PrincipalID != owner {
				t.Errorf("%s: request %d is now %s with key %v", name, i, kept[i].ID(), id)
			}
		}
	}
}
