package setup

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// asked is a request and what its answer is like.
type asked struct {
	method, path string // GET /reports by default
	fields       []string
	status       int
	// field of the answer and a part of its value
	field, value string
}

// issuers is a file of one issuer with more keys below bearer.
func issuerWith(keys string) string {
	return strings.Replace(minimal, "  jwks: jwks.json\n", "  jwks: jwks.json\n  "+keys+"\n", 1)
}

// policyWith is the minimal file with more keys below policy.
func policyWith(keys string) string { return minimal + "  " + keys + "\n" }

const htpasswdOnly = "realm: reports\nbasic: {htpasswd: users.htpasswd, cache_ttl: 0s}\npolicy: {model: model.conf, files: policy.csv}\n"

func basicOf(user, password string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// TestTokenKeys: each key about tokens does what it says.
func TestTokenKeys(t *testing.T) {
	t.Parallel()
	erin := bearerOf(token(t, "erin", nil))
	with := func(claims map[string]any) []string { return bearerOf(token(t, "erin", claims)) }
	now := time.Now()
	for keys, c := range map[string]asked{
		"cookie: __Host-at":                     {fields: []string{"Cookie", "__Host-at=" + token(t, "erin", nil)}, status: 200},
		"max_token_size: 100":                   {fields: erin, status: 401},
		"resource_metadata: https://a.example/": {status: 401, field: "WWW-Authenticate", value: `resource_metadata="https://a.example/"`},
		"algorithms: RS256":                     {fields: erin, status: 401},
		"algorithms: [RS256, EdDSA]":            {fields: erin, status: 200},
		"access_token_profile: true":            {fields: erin, status: 401},
		"id_tokens: true":                       {fields: with(map[string]any{"nonce": "x"}), status: 200},
		"nonce: true":                           {fields: with(map[string]any{"nonce": "x"}), status: 200},
		"nonce: false":                          {fields: with(map[string]any{"nonce": "x"}), status: 401},
		"leeway: 0s":                            {fields: with(map[string]any{"exp": now.Add(-5 * time.Second).Unix()}), status: 401},
		"leeway: 5m":                            {fields: with(map[string]any{"exp": now.Add(-5 * time.Second).Unix()}), status: 200},
		"max_lifetime: 1m":                      {fields: erin, status: 401},
		"revocations: revoked.txt":              {fields: erin, status: 200},
		"clients: as_users":                     {fields: with(map[string]any{"client_id": "erin"}), status: 200},
		"clients: refused":                      {fields: with(map[string]any{"client_id": "erin"}), status: 401},
		"clients: named":                        {fields: with(map[string]any{"client_id": "erin"}), status: 403},
		"client_prefix: er":                     {fields: bearerOf(token(t, "in", map[string]any{"client_id": "in"})), status: 200},
		"authorized_clients: [spa, cli]":        {fields: with(map[string]any{"azp": "cli"}), status: 200},
		"authorized_clients: spa":               {fields: with(map[string]any{"azp": "cli"}), status: 401},
		"claims: {id: name}":                    {fields: bearerOf(token(t, "17", map[string]any{"name": "erin"})), status: 200},
		"claims: {roles: realm.roles}":          {fields: bearerOf(token(t, "ann", map[string]any{"realm": map[string]any{"roles": []string{"editor"}}})), status: 200},
		"claims: {roles_from_keys: r}":          {fields: bearerOf(token(t, "ann", map[string]any{"r": map[string]any{"editor": true}})), status: 200},
		"claims: {scopes: scp}":                 {fields: erin, status: 200},
		"claims: {tenant: org}":                 {fields: erin, status: 200},
	} {
		t.Run(keys, func(t *testing.T) {
			t.Parallel()
			c.check(t, open(t, issuerWith(keys)).Guard())
		})
	}
}

// TestClaims: scopes and the tenant come from the claims that are named.
func TestClaims(t *testing.T) {
	t.Parallel()
	var got *core.Principal
	s := open(t, issuerWith("claims: {scopes: scp, tenant: org}"))
	r := httptest.NewRequest("GET", "/reports", nil)
	r.Header.Set("Authorization", "Bearer "+token(t, "erin", map[string]any{"scp": []string{"read"}, "org": "acme"}))
	httpauth.Authenticate(s.Guard())(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = httpauth.Principal(r)
	})).ServeHTTP(httptest.NewRecorder(), r)
	if got == nil || got.Tenant() != "acme" || !got.HasScope("read") {
		t.Errorf("principal %v, want the tenant acme and the scope read", got)
	}
}

func (c asked) check(t *testing.T, g *core.Guard) {
	t.Helper()
	if c.method == "" {
		c.method = "GET"
	}
	if c.path == "" {
		c.path = "/reports"
	}
	got := wants(t, g, c.status, c.method, c.path, c.fields...)
	if all := strings.Join(got.Header.Values(c.field), ", "); c.field != "" && !strings.Contains(all, c.value) {
		t.Errorf("%s: %q, want %q in it", c.field, all, c.value)
	}
}

// TestIssuerKeys: templates, audiences and lists of issuers.
func TestIssuerKeys(t *testing.T) {
	t.Parallel()
	const policy = "policy: {model: model.conf, files: policy.csv}\n"
	for name, c := range map[string]struct {
		bearer string
		claims map[string]any
		status int
	}{
		"template": {"{issuer_template: 'https://login.example/{tid}', audience: reports, jwks: jwks.json}",
			map[string]any{"iss": "https://login.example/7", "tid": "7"}, 200},
		"template of another": {"{issuer_template: 'https://login.example/{tid}', audience: reports, jwks: jwks.json}",
			map[string]any{"iss": "https://login.example/8", "tid": "7"}, 401},
		"any audience":          {"{issuer: 'https://idp.example', any_audience: true, jwks: jwks.json}", map[string]any{"aud": "x"}, 200},
		"second audience":       {"{issuer: 'https://idp.example', audience: [x, y], jwks: jwks.json}", map[string]any{"aud": "y"}, 200},
		"second issuer":         {"{issuers: [{issuer: 'https://a.example', audience: a, jwks: jwks.json}, {issuer: 'https://idp.example', audience: reports, jwks: jwks.json}]}", nil, 200},
		"audience of the other": {"{issuers: [{issuer: 'https://a.example', audience: a, jwks: jwks.json}, {issuer: 'https://idp.example', audience: reports, jwks: jwks.json}]}", map[string]any{"aud": "a"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := open(t, "realm: reports\nbearer: "+c.bearer+"\n"+policy).Guard()
			wants(t, g, c.status, "GET", "/reports", bearerOf(token(t, "erin", c.claims))...)
		})
	}
}

// TestPlainHTTP: without the key, an address on another machine must be https.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	for _, section := range []string{
		"{issuer: 'http://idp.example', audience: reports, plain_http: true}",
		"{issuer: 'https://idp.example', audience: reports, jwks: 'http://idp.example/jwks', plain_http: true}",
		"{introspection: {endpoint: 'http://idp.example/in', client: reports, secret: {file: names.key}, audience: reports, plain_http: true}}",
	} {
		text := "realm: reports\nbearer: " + section + "\n"
		open(t, text)
		_, err := Open(configFile(t, strings.Replace(text, "true", "false", 1)), quiet())
		if err == nil || !strings.Contains(err.Error(), "plain_http") {
			t.Errorf("%s: without the key: %v", section, err)
		}
	}
}

// TestTenantOfARequest: it is in the path, the host or a field, and one in which the
// user has no role is refused.
func TestTenantOfARequest(t *testing.T) {
	t.Parallel()
	const text = "realm: reports\nbasic: {htpasswd: users.htpasswd}\npolicy: {model: rbac-tenants, files: own.csv}\ntenant: "
	for place, request := range map[string]func(tenant string) *http.Request{
		"{path: '/t/:tenant'}": func(tenant string) *http.Request {
			return httptest.NewRequest("GET", "/t/"+tenant, nil)
		},
		"{host: app.example}": func(tenant string) *http.Request {
			return httptest.NewRequest("GET", "https://"+tenant+".app.example/t/acme", nil)
		},
		"{header: X-Tenant}": func(tenant string) *http.Request {
			r := httptest.NewRequest("GET", "/t/acme", nil)
			r.Header.Set("X-Tenant", tenant)
			return r
		},
	} {
		path := configFile(t, text+place+"\n")
		write(t, filepath.Join(filepath.Dir(path), "own.csv"), "p, editor, acme, /t/acme, GET\np, editor, evil, /t/evil, GET\ng, erin, editor, acme\n")
		gate := httpauth.Authorize(openPath(t, path).Guard())
		for tenant, want := range map[string]int{"acme": 200, "evil": 403} {
			r := request(tenant)
			r.SetBasicAuth("erin", "erin-pass")
			w := httptest.NewRecorder()
			gate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s: tenant %s: %d, want %d", place, tenant, w.Code, want)
			}
		}
	}
}

// TestSchemeKeys: each key about the other schemes does what it says.
func TestSchemeKeys(t *testing.T) {
	t.Parallel()
	const policy = "policy: {model: model.conf, files: policy.csv}\n"
	erin := basicOf("erin", "erin-pass")
	victor := "p, victor, /reports, GET, allow"
	twoForms := "realm: reports\nbearer: {issuer: 'https://idp.example', audience: reports, jwks: jwks.json, introspection: " +
		"{endpoint: 'http://127.0.0.1:1', client: reports, secret: {file: names.key}, any_audience: true, id_prefix: '%s'}}\n" +
		"dpop: {address: 'https://api.example'}\n" + policy
	for name, c := range map[string]struct {
		text string
		asked
	}{
		"basic":            {htpasswdOnly, asked{fields: erin, status: 200}},
		"wrong password":   {htpasswdOnly, asked{fields: basicOf("erin", "x"), status: 401}},
		"tls_required":     {"realm: a\nbasic: {htpasswd: users.htpasswd, tls_required: true}\n" + policy, asked{fields: erin, status: 401}},
		"digest":           {"realm: reports\ndigest: {htdigest: users.htdigest}\n" + policy, asked{status: 401, field: "WWW-Authenticate", value: "algorithm=SHA-256"}},
		"more_algorithms":  {"realm: reports\ndigest: {htdigest: users.htdigest, more_algorithms: SHA-512-256}\n" + policy, asked{status: 401, field: "WWW-Authenticate", value: "SHA-512-256"}},
		"userhash":         {"realm: reports\ndigest: {htdigest: users.htdigest, userhash: true}\n" + policy, asked{status: 401, field: "WWW-Authenticate", value: "userhash=true"}},
		"api_keys":         {"realm: reports\napi_keys: {file: api.keys}\n" + policy, asked{fields: []string{"X-API-Key", apiKey}, status: 403}},
		"header":           {"realm: reports\napi_keys: {file: api.keys, header: X-Key}\n" + policy, asked{fields: []string{"X-Key", apiKey}, status: 403}},
		"not the header":   {"realm: reports\napi_keys: {file: api.keys, header: X-Key}\n" + policy, asked{fields: []string{"X-API-Key", apiKey}, status: 401}},
		"scheme":           {"realm: reports\napi_keys: {file: api.keys, authorization_scheme: Key}\n" + policy, asked{fields: []string{"Authorization", "Key " + apiKey}, status: 403}},
		"query_parameter":  {"realm: reports\napi_keys: {file: api.keys, query_parameter: key}\n" + policy, asked{path: "/reports?key=" + apiKey, status: 403}},
		"session":          {"realm: reports\nsession: {cookie: sid, sign_in_page: /login}\n" + policy, asked{status: 401, field: "WWW-Authenticate", value: "/login"}},
		"dpop":             {minimal + "dpop: {address: 'https://api.example'}\n", asked{status: 401, field: "WWW-Authenticate", value: "DPoP"}},
		"dpop beside":      {minimal + "dpop: {address: 'https://api.example'}\n", asked{fields: bearerOf(token(t, "erin", nil)), status: 200}},
		"dpop required":    {minimal + "dpop: {address: 'https://api.example', required: true}\n", asked{fields: bearerOf(token(t, "erin", nil)), status: 401}},
		"dpop algorithms":  {minimal + "dpop: {address: 'https://api.example', algorithms: ES384}\n", asked{status: 401, field: "WWW-Authenticate", value: `algs="ES384"`}},
		"dpop of JWTs":     {fmt.Sprintf(twoForms, "partner:"), asked{fields: bound(t, nil), status: 200}},
		"dpop, other's ID": {fmt.Sprintf(twoForms, "er"), asked{fields: bound(t, nil), status: 401}},
		"certificate":      {"realm: reports\nclient_certificates: {identity: common_name, ca: ca.pem}\n" + policy, asked{status: 401, field: "WWW-Authenticate", value: "ClientCertificate"}},
		"policy of victor": {"realm: reports\napi_keys: {file: api.keys}\npolicy: {model: model.conf, files: victor.csv}\n", asked{fields: []string{"X-API-Key", apiKey}, status: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := configFile(t, c.text)
			write(t, filepath.Join(filepath.Dir(path), "victor.csv"), victor+"\n")
			c.check(t, openPath(t, path).Guard())
		})
	}
}

// TestGuardKeys: each key about answers, limits and requests does what it says.
func TestGuardKeys(t *testing.T) {
	t.Parallel()
	page := []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	mallory := append(bearerOf(token(t, "mallory", nil)), page...)
	for keys, c := range map[string]asked{
		"answers: {formats: json}":                        {status: 401, field: "Content-Type", value: "application/json"},
		"answers: {formats: [text, json]}":                {status: 401, field: "Content-Type", value: "text/plain"},
		"answers: {sign_in_redirect: /login}":             {fields: page, status: 303, field: "Location", value: "/login"},
		"answers: {languages: [de, en]}":                  {fields: page, status: 401, field: "Content-Language", value: "de"},
		"answers: {content_security_policy: default-src}": {fields: page, status: 401, field: "Content-Security-Policy", value: "default-src"},
		"answers: {switch_account: /switch}":              {fields: mallory, status: 403, field: "Content-Type", value: "text/html"},
		"browsers: {cors_origins: 'https://a.example'}":   {fields: []string{"Origin", "https://a.example"}, status: 401, field: "Access-Control-Allow-Origin", value: "https://a.example"},
		"requests: {max_path_size: 4}":                    {status: 400},
		"requests: {max_path_size: 1KiB}":                 {status: 401},
		"requests: {methods: PROPFIND}":                   {method: "PROPFIND", fields: bearerOf(token(t, "erin", nil)), status: 403},
		"proxies: {trusted: 10.0.0.0/8}":                  {status: 401},
	} {
		t.Run(keys, func(t *testing.T) {
			t.Parallel()
			c.check(t, open(t, minimal+keys+"\n").Guard())
		})
	}
	for keys, want := range map[string]string{"{prompts: false}": "xBasic", "{prompts: true}": "Basic"} {
		g := open(t, htpasswdOnly+"browsers: "+keys+"\n").Guard()
		got := wants(t, g, 401, "GET", "/reports", "Sec-Fetch-Mode", "cors").Header.Get("WWW-Authenticate")
		if !strings.HasPrefix(got, want+" ") {
			t.Errorf("prompts %s: %q", keys, got)
		}
	}
}

// TestAttempts: who fails too often is refused, behind a proxy by the address
// that it tells.
func TestAttempts(t *testing.T) {
	t.Parallel()
	g := open(t, htpasswdOnly+"attempts: {address: {failures: 1, per: 1m, burst: 2}}\nproxies: {trusted: 192.0.2.1/32}\n").Guard()
	for _, c := range []struct {
		from   string
		status int
	}{{"203.0.113.1", 401}, {"203.0.113.1", 401}, {"203.0.113.1", 429}, {"203.0.113.2", 401}} {
		wants(t, g, c.status, "GET", "/reports", append(basicOf("nobody", "x"), "X-Forwarded-For", c.from)...)
	}
}

// TestPolicyKeys: each key about the policy does what it says.
func TestPolicyKeys(t *testing.T) {
	t.Parallel()
	editor := bearerOf(token(t, "ann", map[string]any{"roles": []string{"editor"}}))
	for keys, c := range map[string]asked{
		"empty: true":            {fields: editor, status: 200},
		"token_roles: false":     {fields: editor, status: 403},
		"route_as_object: true":  {fields: editor, status: 403}, // no router has matched
		"casbin_semantics: true": {method: "HEAD", fields: editor, status: 403},
		"anonymous: true":        {status: 401},
	} {
		t.Run(keys, func(t *testing.T) {
			t.Parallel()
			c.check(t, open(t, policyWith(keys)).Guard())
		})
	}
	path := configFile(t, strings.Replace(policyWith("anonymous: true"), "policy.csv", "open.csv", 1))
	write(t, filepath.Join(filepath.Dir(path), "open.csv"), "p, anonymous, /reports, GET, allow\n")
	gate := openPath(t, path).Guard()
	wants(t, gate, 200, "GET", "/reports")
	s := open(t, strings.NewReplacer("model.conf", "attributes.conf", "policy.csv", "attributes.csv").Replace(
		policyWith("attributes: {age: age, dept: dep}\n  attribute_types: {age: number}\n  functions: {pathMatch: keyMatch2}")))
	for age, want := range map[int]int{9: 403, 18: 200, 100: 200} {
		wants(t, s.Guard(), want, "GET", "/reports", bearerOf(token(t, "erin", map[string]any{"age": age, "dep": "sales"}))...)
	}
}

// TestWatch: an edit takes effect by itself.
func TestWatch(t *testing.T) {
	t.Parallel()
	path := configFile(t, minimal)
	s := openPath(t, path)
	erin := bearerOf(token(t, "erin", nil))
	wants(t, s.Guard(), 200, "GET", "/reports", erin...)
	write(t, filepath.Join(filepath.Dir(path), "jwks.json"),
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k2","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	for end := time.Now().Add(authtest.TimeLimit(time.Minute)); ask(t, s.Guard(), "GET", "/reports", erin...).StatusCode != 401; {
		if time.Now().After(end) {
			t.Fatal("the key that was taken out is still good")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestLogger is what the file says, unless the program says another.
func TestLogger(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		json  bool
		level slog.Level
	}{
		"log: {}":                           {false, slog.LevelInfo},
		"log: {format: json}":               {true, slog.LevelInfo},
		"log: {level: error}":               {false, slog.LevelError},
		"log: {level: debug, format: json}": {true, slog.LevelDebug},
	} {
		s, err := Open(configFile(t, minimal+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		_, isJSON := s.Logger().Handler().(*slog.JSONHandler)
		below := s.Logger().Enabled(t.Context(), c.level-1)
		if isJSON != c.json || below || !s.Logger().Enabled(t.Context(), c.level) {
			t.Errorf("%s: JSON %v, one level below %v", text, isJSON, below)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	mine := slog.New(slog.DiscardHandler)
	if s := open(t, minimal+"log: {format: json}\n", WithLogger(mine)); s.Logger() != mine {
		t.Error("the program's logger is not in use")
	}
}

// TestObservers: a kind of observer is told of verdicts, beside those of code.
func TestObservers(t *testing.T) {
	t.Parallel()
	var seen []core.Outcome
	s := open(t, minimal+"observers: [counter: {}]\n", WithGuard(core.WithObserver(
		core.ObserverFunc(func(_ context.Context, e core.Event) { seen = append(seen, e.Outcome) }))))
	before := counted.Load()
	wants(t, s.Guard(), 401, "GET", "/reports")
	if counted.Load() == before || len(seen) != 1 {
		t.Errorf("the kind saw %d events, the other %v", counted.Load()-before, seen)
	}
}

// TestPseudonyms: with a key no name is told.
func TestPseudonyms(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	log := slog.New(slog.NewTextHandler(&b, nil))
	s := open(t, minimal+"log: {pseudonym_key: {file: names.key}}\n", WithLogger(log))
	wants(t, s.Guard(), 200, "GET", "/reports", bearerOf(token(t, "erin", nil))...)
	if got := b.String(); strings.Contains(got, "erin") || !strings.Contains(got, "outcome=allowed") {
		t.Errorf("logged %s", got)
	}
}

// TestIssuersWithoutPrefixAreWarnedOf: a sub is unique only within its issuer (RFC 7519
// §4.1.2), unless the file says that the issuers name the same people.
func TestIssuersWithoutPrefixAreWarnedOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		all, one, other string
		warned          bool
	}{
		"none":  {warned: true},
		"one":   {other: ", id_prefix: 'partner:'"},
		"both":  {one: ", id_prefix: 'staff:'", other: ", id_prefix: 'partner:'"},
		"same":  {one: ", id_prefix: 'a:'", other: ", id_prefix: 'a:'", warned: true},
		"meant": {all: "  shared_ids: true\n"},
	} {
		var log bytes.Buffer
		open(t, fmt.Sprintf("realm: reports\nbearer:\n%s  issuers:\n"+
			"  - {issuer: 'https://a.example', audience: a, jwks: jwks.json%s}\n  - {issuer: 'https://b.example', audience: a, jwks: jwks.json%s}\n",
			c.all, c.one, c.other)+withPolicy, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		if got := strings.Contains(log.String(), "issuers with one id_prefix, or none"); got != c.warned {
			t.Errorf("%s: logged %q, want a warning: %v", name, log.String(), c.warned)
		}
	}
}
