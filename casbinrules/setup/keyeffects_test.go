package setup

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// Files with %s where the value of a key stands.
const (
	withPolicy = "policy: {model: model.conf, files: policy.csv}\n"
	inStore    = "policy: {model: rbac, store: {one: {}}, store_files: policy.csv}\n"
	tokensWith = "realm: reports\nbearer: {issuer: 'https://idp.example', audience: reports, jwks: jwks.json, %s}\n" + withPolicy
	// The token says what the answer about it is: see askedAbout.
	opaqueWith  = "realm: reports\nbearer: {introspection: {endpoint: ISSUER, client: reports, secret: {file: names.key}, any_audience: true, %s}}\n" + withPolicy
	boundWith   = "realm: reports\nbearer: {issuer: 'https://idp.example', audience: reports, jwks: jwks.json}\ndpop: {address: 'https://api.example', %s}\n" + withPolicy
	digestWith  = "realm: reports\ndigest: {htdigest: users.htdigest, nonce_key: {file: names.key}, %s}\n" + withPolicy
	sessionWith = "realm: reports\nsession: {store: {recorder: {}}, sign_in_page: /in, %s}\n" + withPolicy
	policyIs    = "realm: reports\nbearer: {issuer: 'https://idp.example', audience: reports, jwks: jwks.json, claims: {tenant: org}}\npolicy: {%s}\n"
	sharedIs    = "realm: reports\nbearer: {issuer: 'https://idp.example', audience: reports, jwks: jwks.json}\npolicy: {model: rbac, %s}\n"
	guessing    = "realm: reports\ndigest: {htdigest: users.htdigest, nonce_key: {file: names.key}}\n" + withPolicy + "proxies: {trusted: 192.0.2.1/32}\nattempts: {%s}\n"
	logIs       = minimal + "decision_log: {path: decisions.jsonl, %s}\n"
)

var (
	pageFields = []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	byErin     = []string{"Authorization", "Basic ZXJpbjplcmluLXBhc3M="}
)

// effects are of the keys of the file, with dots for sections.
var effects = map[string]effect{
	"realm": {file: strings.Replace(minimal, "realm: reports", "realm: %s", 1), a: "reports", b: "others", see: asking("GET", "/reports")},
	"watch": {file: minimal + "watch: %s\n", a: "true", b: "false", see: func(_ *testing.T, s *Setup, _ string) string { return fmt.Sprint(s.Policy().Status().Watching) }},

	"bearer.issuer":                               {file: strings.Replace(minimal, "https://idp.example", "%s", 1), a: "https://idp.example", b: "https://other.example"},
	"bearer.issuer_template":                      {file: "realm: reports\nbearer: {issuer_template: %s, audience: reports, jwks: jwks.json}\n" + withPolicy, a: "'https://idp.example/{tid}'", b: "'https://other.example/{tid}'", see: askingWith("erin", map[string]any{"iss": "https://idp.example/7", "tid": "7"})},
	"bearer.audience":                             {file: strings.Replace(minimal, "audience: reports", "audience: %s", 1), a: "reports", b: "[others]"},
	"bearer.any_audience":                         {file: "realm: reports\nbearer: {issuer: 'https://idp.example', jwks: jwks.json, %s}\n" + withPolicy, a: "any_audience: true", b: "audience: others"},
	"bearer.jwks":                                 {file: strings.Replace(minimal, "jwks.json", "%s", 1), a: "jwks.json", b: "others.json"},
	"bearer.algorithms":                           {file: tokensWith, a: "algorithms: EdDSA", b: "algorithms: ES256"},
	"bearer.rsa_algorithm":                        {file: strings.Replace(tokensWith, "jwks.json", "rsa.json", 1), a: "rsa_algorithm: RS256", b: "rsa_algorithm: PS256", see: asking("GET", "/reports", "Authorization", "Bearer "+encode([]byte(`{"alg":"RS256"}`))+".e30."+encode(make([]byte, 256)))},
	"bearer.access_token_profile":                 {file: tokensWith, a: "access_token_profile: true", b: "access_token_profile: false"},
	"bearer.id_tokens":                            {file: tokensWith, a: "id_tokens: true", b: "id_tokens: false", see: askingWith("erin", map[string]any{"at_hash": "x"})},
	"bearer.leeway":                               {file: tokensWith, a: "leeway: 30s", b: "leeway: 5m", see: askingExpired},
	"bearer.max_lifetime":                         {file: tokensWith, a: "max_lifetime: 1m", b: "max_lifetime: 24h"},
	"bearer.development":                          {file: strings.Replace(tokensWith, "jwks.json", "dev.json", 1), a: "development: local", b: "development: anywhere"},
	"bearer.revocations":                          {file: tokensWith, a: "revocations: revoked.txt", b: "revocations: erin.txt"},
	"bearer.clients":                              {file: tokensWith, a: "clients: as_users", b: "clients: refused", see: askingWith("erin", map[string]any{"client_id": "erin"})},
	"bearer.client_prefix":                        {file: tokensWith, a: "client_prefix: 'app:'", b: "client_prefix: 'job:'", see: askingWith("erin", map[string]any{"client_id": "erin"})},
	"bearer.id_prefix":                            {file: tokensWith, a: "id_prefix: 'a:'", b: "id_prefix: 'b:'", see: askingWith("erin", nil)},
	"bearer.authorized_clients":                   {file: tokensWith, a: "authorized_clients: spa", b: "authorized_clients: cli", see: askingWith("erin", map[string]any{"azp": "cli"})},
	"bearer.nonce":                                {file: tokensWith, a: "nonce: true", b: "nonce: false", see: askingWith("erin", map[string]any{"nonce": "x"})},
	"bearer.claims.id":                            {file: tokensWith, a: "claims: {id: sub}", b: "claims: {id: name}", see: askingWith("erin", map[string]any{"name": "ann"})},
	"bearer.claims.roles":                         {file: tokensWith, a: "claims: {roles: r}", b: "claims: {roles: s.r}", see: askingWith("erin", map[string]any{"r": "a", "s": map[string]any{"r": "b"}})},
	"bearer.claims.roles_from_keys":               {file: tokensWith, a: "claims: {roles_from_keys: r}", b: "claims: {roles_from_keys: s}", see: askingWith("erin", map[string]any{"r": map[string]any{"a": true}, "s": map[string]any{"b": true}})},
	"bearer.claims.scopes":                        {file: tokensWith, a: "claims: {scopes: scope}", b: "claims: {scopes: scp}", see: askingWith("erin", map[string]any{"scope": "a", "scp": "b"})},
	"bearer.claims.tenant":                        {file: tokensWith, a: "claims: {tenant: org}", b: "claims: {tenant: tid}", see: askingWith("erin", map[string]any{"org": "a", "tid": "b"})},
	"bearer.issuers":                              {file: "realm: reports\nbearer: {issuers: [{issuer: %s, audience: reports, jwks: jwks.json}]}\n" + withPolicy, a: "'https://idp.example'", b: "'https://other.example'"},
	"bearer.cookie":                               {file: tokensWith, a: "cookie: __Host-a", b: "cookie: __Host-b", see: cookieWithToken},
	"bearer.shared_ids":                           {test: "TestIssuersWithoutPrefixAreWarnedOf"},
	"bearer.max_token_size":                       {file: tokensWith, a: "max_token_size: 100", b: "max_token_size: 4KiB"},
	"bearer.resource_metadata":                    {file: tokensWith, a: "resource_metadata: 'https://a.example/'", b: "resource_metadata: 'https://b.example/'", see: asking("GET", "/reports")},
	"bearer.introspection.endpoint":               {file: strings.Replace(opaqueWith, "ISSUER", "%s", 1), a: "ISSUER", b: "'http://127.0.0.1:1'", see: askedAbout(nil)},
	"bearer.introspection.client":                 {file: strings.Replace(opaqueWith, "client: reports", "client: %s", 1), a: "reports", b: "others", see: askedAbout(nil)},
	"bearer.introspection.secret":                 {file: strings.Replace(opaqueWith, "names.key", "%s", 1), a: "names.key", b: "old.key", see: askedAbout(nil)},
	"bearer.introspection.issuer":                 {file: opaqueWith, a: "issuer: 'https://a.example'", b: "issuer: 'https://b.example'", see: askedAbout(map[string]any{"iss": "https://a.example"})},
	"bearer.introspection.audience":               {file: strings.Replace(opaqueWith, "any_audience: true, ", "", 1), a: "audience: a", b: "audience: b", see: askedAbout(map[string]any{"aud": "a"})},
	"bearer.introspection.timeout":                {test: "TestIntrospectionKeys"},
	"bearer.introspection.cache_ttl":              {test: "TestIntrospectionKeys"},
	"bearer.introspection.any_audience":           {file: strings.Replace(opaqueWith, "any_audience: true, ", "", 1), a: "any_audience: true", b: "audience: b", see: askedAbout(map[string]any{"aud": "a"})},
	"bearer.introspection.cache_size":             {file: opaqueWith, a: "claims: {id: username}, cache_size: 1", b: "claims: {id: username}, cache_size: 100", see: askedAgain},
	"bearer.introspection.leeway":                 {file: opaqueWith, a: "leeway: 1s", b: "leeway: 5m", see: askedAboutExpired},
	"bearer.introspection.clients":                {file: opaqueWith, a: "clients: named", b: "clients: refused", see: askedAbout(map[string]any{"sub": "app", "client_id": "app"})},
	"bearer.introspection.client_prefix":          {file: opaqueWith, a: "client_prefix: 'app:'", b: "client_prefix: 'job:'", see: askedAbout(map[string]any{"sub": "app", "client_id": "app"})},
	"bearer.introspection.id_prefix":              {file: opaqueWith, a: "id_prefix: 'a:'", b: "id_prefix: 'b:'", see: askedAbout(map[string]any{"sub": "erin"})},
	"bearer.introspection.authorized_clients":     {file: opaqueWith, a: "authorized_clients: spa", b: "authorized_clients: cli", see: askedAbout(map[string]any{"client_id": "cli"})},
	"bearer.introspection.nonce":                  {file: opaqueWith, a: "nonce: true", b: "nonce: false", see: askedAbout(map[string]any{"nonce": "x"})},
	"bearer.introspection.claims.id":              {file: opaqueWith, a: "claims: {id: sub}", b: "claims: {id: username}", see: askedAbout(map[string]any{"username": "ann"})},
	"bearer.introspection.claims.roles":           {file: opaqueWith, a: "claims: {roles: r}", b: "claims: {roles: s}", see: askedAbout(map[string]any{"sub": "erin", "r": "a", "s": "b"})},
	"bearer.introspection.claims.roles_from_keys": {file: opaqueWith, a: "claims: {roles_from_keys: r}", b: "claims: {roles_from_keys: s}", see: askedAbout(map[string]any{"sub": "erin", "r": map[string]any{"a": true}, "s": map[string]any{"b": true}})},
	"bearer.introspection.claims.scopes":          {file: opaqueWith, a: "claims: {scopes: scope}", b: "claims: {scopes: scp}", see: askedAbout(map[string]any{"sub": "erin", "scope": "a", "scp": "b"})},
	"bearer.introspection.claims.tenant":          {file: opaqueWith, a: "claims: {tenant: org}", b: "claims: {tenant: tid}", see: askedAbout(map[string]any{"sub": "erin", "org": "a", "tid": "b"})},

	"dpop.required":            {file: boundWith, a: "required: true", b: "required: false"},
	"dpop.address":             {file: strings.Replace(boundWith, "'https://api.example'", "%s", 1), a: "'https://api.example'", b: "'https://other.example'", see: askingBound},
	"dpop.algorithms":          {file: boundWith, a: "algorithms: EdDSA", b: "algorithms: ES256", see: askingBound},
	"dpop.proof_age":           {test: "TestProofKeys"},
	"dpop.leeway":              {test: "TestProofKeys"},
	"dpop.nonce_key":           {test: "TestProofKeys"},
	"dpop.previous_nonce_keys": {test: "TestProofKeys"},
	"dpop.nonce_lifetime":      {file: boundWith, a: "nonce_key: {file: names.key}, nonce_lifetime: 5m", b: "nonce_key: {file: names.key}, nonce_lifetime: 1h", see: askingBoundWithOldNonce},
	"dpop.replays":             {test: "redis/TestReplaysInRedis"},
	"dpop.replay_fallback":     {file: boundWith, a: "replays: {gone: {}}, replay_fallback: true", b: "replays: {gone: {}}", see: askingBound, only: "200"},

	"basic.htpasswd":     {file: "realm: reports\nbasic: {htpasswd: %s}\n" + withPolicy, a: "users.htpasswd", b: "alice.htpasswd", see: asking("GET", "/reports", byErin...)},
	"basic.store_file":   {file: "realm: reports\nbasic: {store_file: %s}\n" + inStore, a: "users.htpasswd", b: "alice.htpasswd", see: asking("GET", "/reports", byErin...)},
	"basic.cache_ttl":    {unseen: "what is remembered costs less time"},
	"basic.tls_required": {file: "realm: reports\nbasic: {htpasswd: users.htpasswd, tls_required: %s}\n" + withPolicy, a: "true", b: "false", see: asking("GET", "/reports", byErin...)},

	"digest.htdigest":            {file: strings.Replace(digestWith, "users.htdigest, nonce_key: {file: names.key}, %s", "%s, nonce_key: {file: names.key}", 1), a: "users.htdigest", b: "alice.htdigest", see: digestAnswers(0, 1)},
	"digest.store_file":          {file: "realm: reports\ndigest: {store_file: %s, nonce_key: {file: names.key}}\n" + inStore, a: "users.htdigest", b: "alice.htdigest", see: digestAnswers(0, 1)},
	"digest.more_algorithms":     {file: digestWith, a: "more_algorithms: SHA-512-256", b: "userhash: false", see: asking("GET", "/reports")},
	"digest.userhash":            {file: digestWith, a: "userhash: true", b: "userhash: false", see: asking("GET", "/reports")},
	"digest.nonce_key":           {file: strings.Replace(digestWith, "nonce_key: {file: names.key}, ", "", 1), a: "nonce_key: {file: names.key}", b: "nonce_key: {file: old.key}", see: digestAnswers(0, 1)},
	"digest.previous_nonce_keys": {file: strings.Replace(digestWith, "nonce_key: {file: names.key}", "nonce_key: {file: decisions.key}", 1), a: "previous_nonce_keys: [{file: names.key}]", b: "previous_nonce_keys: [{file: old.key}]", see: digestAnswers(0, 1)},
	"digest.nonce_lifetime":      {file: digestWith, a: "nonce_lifetime: 5m", b: "nonce_lifetime: 1h", see: digestAnswers(-10*time.Minute, 1)},
	"digest.max_nonces":          {file: digestWith, a: "max_nonces: 1", b: "max_nonces: 65536", see: digestAnswers(0, 1, 1, 2)},

	"digest.counts":         {test: "redis/TestAttemptsInRedis"},
	"digest.count_fallback": {file: digestWith, a: "counts: {gone: {}}, count_fallback: true", b: "counts: {gone: {}}", see: digestAnswers(0, 1), only: "200"},

	"api_keys.file":                 {file: "realm: reports\napi_keys: {file: %s}\n" + withPolicy, a: "api.keys", b: "others.keys", see: asking("GET", "/reports", "X-API-Key", apiKey)},
	"api_keys.store_file":           {file: "realm: reports\napi_keys: {store_file: %s}\n" + inStore, a: "api.keys", b: "others.keys", see: asking("GET", "/reports", "X-API-Key", apiKey)},
	"api_keys.header":               {file: "realm: reports\napi_keys: {file: api.keys, header: %s}\n" + withPolicy, a: "X-A", b: "X-B", see: asking("GET", "/reports", "X-A", apiKey)},
	"api_keys.authorization_scheme": {file: "realm: reports\napi_keys: {file: api.keys, authorization_scheme: %s}\n" + withPolicy, a: "Key", b: "Token", see: asking("GET", "/reports", "Authorization", "Key "+apiKey)},
	"api_keys.query_parameter":      {file: "realm: reports\napi_keys: {file: api.keys, query_parameter: %s}\n" + withPolicy, a: "a", b: "b", see: asking("GET", "/reports?a="+apiKey)},

	"client_certificates.identity":          {test: "TestCertificateKeys"},
	"client_certificates.trust_domain":      {test: "TestCertificateKeys"},
	"client_certificates.ca":                {test: "TestCertificateKeys"},
	"client_certificates.roles_of_units":    {test: "TestCertificateKeys"},
	"client_certificates.header":            {test: "TestCertificateKeys"},
	"client_certificates.nginx_certificate": {test: "TestCertificateKeys"},
	"client_certificates.nginx_verify":      {test: "TestCertificateKeys"},
	"client_certificates.proxy_verifies":    {test: "TestCertificateKeys"},

	"session.store":                      {file: "realm: reports\nsession: {%s}\n" + withPolicy, a: "store: {recorder: {}}", b: "cookie: session", see: signedIn},
	"session.store_timeout":              {file: sessionWith, a: "store_timeout: 10s", b: "store_timeout: 1m", see: signedIn},
	"session.cookie":                     {file: sessionWith, a: "cookie: a", b: "cookie: b", see: signedIn},
	"session.idle_timeout":               {file: sessionWith, a: "idle_timeout: 30m", b: "idle_timeout: 2h", see: hourLater},
	"session.absolute_timeout":           {file: sessionWith, a: "persistent_cookie: true, absolute_timeout: 4h", b: "persistent_cookie: true, absolute_timeout: 12h", see: signedIn},
	"session.persistent_cookie":          {file: sessionWith, a: "persistent_cookie: true", b: "persistent_cookie: false", see: signedIn},
	"session.strict_same_site":           {file: sessionWith, a: "strict_same_site: true", b: "strict_same_site: false", see: signedIn},
	"session.sign_in_page":               {file: strings.Replace(sessionWith, "sign_in_page: /in, ", "", 1), a: "sign_in_page: /in", b: "sign_in_page: /login", see: asking("GET", "/reports")},
	"session.sign_in":                    {test: "oidc/TestServe"},
	"session.sign_in_redirect":           {file: sessionWith, a: "sign_in_redirect: /account", b: "sign_in_redirect: /home", see: signedInByForm},
	"session.logout_redirect":            {file: sessionWith, a: "logout_redirect: /bye", b: "logout_redirect: /out", see: signedOut},
	"session.plain_http_for_development": {file: sessionWith, a: "plain_http_for_development: true", b: "plain_http_for_development: false", see: signedIn},

	"revocations.store":         {test: "TestRevocationLog"},
	"revocations.poll_interval": {file: minimal + "revocations: {%s}\n", a: "store: {memory: {}}, poll_interval: 1ns", b: "store: {memory: {}}, poll_interval: 1h"},
	"revocations.max_staleness": {test: "TestRevocationLog"},
	"revocations.when_stale":    {test: "TestRevocationLog"},
	"revocations.late_start":    {test: "TestRevocationLog"},

	"bearer.plain_http":               {test: "TestPlainHTTP"},
	"bearer.introspection.plain_http": {test: "TestPlainHTTP"},

	"tenant.path":   {test: "TestTenantOfARequest"},
	"tenant.host":   {test: "TestTenantOfARequest"},
	"tenant.header": {test: "TestTenantOfARequest"},

	"policy.model":             {file: policyIs, a: "model: rbac, files: roles.csv", b: "model: rbac-deny, files: roles.csv"},
	"policy.files":             {file: policyIs, a: "model: model.conf, files: policy.csv", b: "model: model.conf, files: others.csv"},
	"policy.store":             {file: sharedIs, a: "store: {one: {}}", b: "store: {another: {}}"},
	"policy.store_files":       {file: sharedIs, a: "store: {one: {}}, store_files: policy.csv", b: "store: {one: {}}, store_files: others.csv"},
	"policy.poll_interval":     {file: sharedIs, a: "store: {one: {}}, poll_interval: 1ns", b: "store: {one: {}}, poll_interval: 1h"},
	"policy.max_staleness":     {file: sharedIs, a: "store: {one: {}}, poll_interval: 1h, when_stale: unavailable, max_staleness: 1ns", b: "store: {one: {}}, poll_interval: 1h, when_stale: unavailable, max_staleness: 1h"},
	"policy.when_stale":        {file: sharedIs, a: "store: {one: {}}, poll_interval: 1h, max_staleness: 1ns, when_stale: unavailable", b: "store: {one: {}}, poll_interval: 1h, max_staleness: 1ns, when_stale: serve"},
	"policy.last_good_file":    {file: sharedIs, a: "store: {one: {}}, last_good_file: a.json", b: "store: {one: {}}, last_good_file: b.json", see: filesIn("*.json")},
	"policy.older_revisions":   {test: "TestOlderRevisions"},
	"policy.anonymous":         {file: policyIs, a: "model: model.conf, files: anonymous.csv, anonymous: true", b: "model: model.conf, files: anonymous.csv", see: asking("GET", "/reports")},
	"policy.empty":             {file: policyIs, a: "model: model.conf, files: empty.csv, empty: true", b: "model: model.conf, files: empty.csv", only: "403"},
	"policy.token_roles":       {file: policyIs, a: "model: model.conf, files: policy.csv, token_roles: true", b: "model: model.conf, files: policy.csv, token_roles: false", see: askingWith("ann", map[string]any{"roles": "editor"})},
	"policy.role_prefix":       {file: policyIs, a: "model: model.conf, files: prefix.csv, role_prefix: 'role:'", b: "model: model.conf, files: prefix.csv, role_prefix: 'r:'", see: askingWith("ann", map[string]any{"roles": "editor"})},
	"policy.default_role":      {file: policyIs, a: "model: model.conf, files: policy.csv, default_role: editor", b: "model: model.conf, files: policy.csv", see: askingWith("ann", map[string]any{})},
	"policy.route_as_object":   {file: policyIs, a: "model: model.conf, files: policy.csv, route_as_object: true", b: "model: model.conf, files: policy.csv, route_as_object: false"},
	"policy.casbin_semantics":  {file: policyIs, a: "model: model.conf, files: policy.csv, casbin_semantics: true", b: "model: model.conf, files: policy.csv, casbin_semantics: false", see: headByErin},
	"policy.attributes":        {file: policyIs, a: attributesAre + "attributes: {age: age, dept: dep}, attribute_types: {age: number}", b: attributesAre + "attributes: {age: years, dept: dep}, attribute_types: {age: number}", see: askingWith("erin", map[string]any{"age": 20, "years": 3, "dep": "sales"})},
	"policy.attribute_types":   {file: policyIs, a: attributesAre + "attributes: {age: age, dept: dep}, attribute_types: {age: number}", b: attributesAre + "attributes: {age: age, dept: dep}, attribute_types: {age: text}", see: askingWith("erin", map[string]any{"age": 100, "dep": "sales"})},
	"policy.functions":         {file: policyIs, a: "model: attributes.conf, files: patterns.csv, functions: {pathMatch: keyMatch}, attributes: {age: age, dept: dep}, attribute_types: {age: number}", b: "model: attributes.conf, files: patterns.csv, functions: {pathMatch: keyMatch2}, attributes: {age: age, dept: dep}, attribute_types: {age: number}", see: askingWith("erin", map[string]any{"age": 20, "dep": "sales"})},
	"policy.object_attributes": {file: policyIs, a: "model: owned.conf, files: owned.csv, object_attributes: owner", b: "model: owned.conf, files: owned.csv"},
	"policy.objects_at_gates":  {file: policyIs, a: "model: owned.conf, files: owned.csv, object_attributes: owner, objects_at_gates: true", b: "model: owned.conf, files: owned.csv, object_attributes: owner", only: "200"},
	"policy.role_patterns":     {file: policyIs, a: "model: rbac, files: linked.csv, role_patterns: {g: globMatch}", b: "model: rbac, files: linked.csv, role_patterns: {g: keyMatch}"},
	"policy.tenant_patterns":   {file: policyIs, a: "model: rbac-tenants, files: wild.csv, tenant_patterns: g", b: "model: rbac-tenants, files: wild.csv"},

	"answers.formats":                 {file: minimal + "answers: {formats: %s}\n", a: "json", b: "text", see: asking("GET", "/reports")},
	"answers.languages":               {file: minimal + "answers: {languages: %s}\n", a: "en", b: "de", see: asking("GET", "/reports", pageFields...)},
	"answers.sign_in_page":            {file: minimal + "answers: {sign_in_page: %s}\n", a: "/in", b: "/login", see: asking("GET", "/reports", pageFields...)},
	"answers.sign_in_redirect":        {file: minimal + "answers: {sign_in_redirect: %s}\n", a: "/in", b: "/login", see: asking("GET", "/reports", pageFields...)},
	"answers.switch_account":          {file: minimal + "answers: {switch_account: %s}\n", a: "/a", b: "/b", see: forbiddenPage},
	"answers.contact.text":            {file: minimal + "answers: {contact: {text: %s, link: /help}}\n", a: "us", b: "them", see: forbiddenPage},
	"answers.contact.link":            {file: minimal + "answers: {contact: {text: us, link: %s}}\n", a: "/help", b: "/desk", see: forbiddenPage},
	"answers.style":                   {file: minimal + "answers: {style: %s}\n", a: "pages.css", b: "own.css", see: forbiddenPage},
	"answers.content_security_policy": {file: minimal + "answers: {content_security_policy: %s}\n", a: "default-src a", b: "default-src b", see: forbiddenPage},
	"answers.request_id":              {file: minimal + "answers: {formats: json, request_id: %s}\n", a: "X-A", b: "X-B", see: asking("GET", "/reports", "X-A", "a", "X-B", "b")},
	"answers.retry_after":             {file: strings.NewReplacer("ISSUER", "'http://127.0.0.1:1'", ", %s", "").Replace(opaqueWith) + "answers: {retry_after: %s}\n", a: "7s", b: "9s", see: askedAbout(nil)},

	"attempts.max_wait":               {file: guessing, a: "max_wait: 1m, address: {failures: 1, per: 10m, burst: 1}", b: "max_wait: 15m, address: {failures: 1, per: 10m, burst: 1}", see: guesses("203.0.113.1", 2)},
	"attempts.known_address_lifetime": {unseen: "it is a second at least"},
	"attempts.max_entries":            {unseen: "more than a thousand addresses have to fail"},
	"attempts.store":                  {test: "redis/TestAttemptsInRedis"},
	"attempts.store_key":              {test: "redis/TestAttemptsInRedis"},
	"attempts.unshared_attempts":      {test: "redis/TestAttemptsInRedis"},

	"proxies.trusted":     {file: minimal + "proxies: {trusted: %s}\n", a: "192.0.2.1/32", b: "10.0.0.0/8", see: asking("GET", "/reports", "X-Forwarded-For", "203.0.113.7")},
	"proxies.unix_socket": {file: minimal + "proxies: {trusted: 10.0.0.0/8, unix_socket: %s}\n", a: "true", b: "false", see: fromSocket, only: "203.0.113.7"},
	"proxies.forwarded":   {file: minimal + "proxies: {trusted: 192.0.2.1/32, forwarded: %s}\n", a: "true", b: "false", see: asking("GET", "/reports", "X-Forwarded-For", "203.0.113.7", "Forwarded", "for=203.0.113.8")},

	"browsers.trusted_origins": {file: htpasswdOnly + "browsers: {trusted_origins: %s}\n", a: "'https://a.example'", b: "'https://b.example'", see: asking("POST", "/reports", append([]string{"Origin", "https://a.example", "Sec-Fetch-Site", "cross-site"}, byErin...)...)},
	"browsers.cors_origins":    {file: minimal + "browsers: {cors_origins: %s}\n", a: "'https://a.example'", b: "'https://b.example'", see: asking("GET", "/reports", "Origin", "https://a.example")},
	"browsers.prompts":         {file: htpasswdOnly + "browsers: {prompts: %s}\n", a: "true", b: "false", see: asking("GET", "/reports", "Sec-Fetch-Mode", "cors")},

	"requests.methods":         {file: strings.Replace(tokensWith, ", %s}\n"+withPolicy, "}\n", 1) + "requests: {methods: %s}\n", a: "PROPFIND", b: "REPORT", see: propfind},
	"requests.encoded_slashes": {test: "TestKeysChangeAnswers"},
	"requests.max_path_size":   {file: minimal + "requests: {max_path_size: %s}\n", a: "4", b: "1KiB", see: asking("GET", "/reports")},

	"log.format":        {test: "TestLogger"},
	"log.level":         {test: "TestLogger"},
	"log.pseudonym_key": {test: "TestPseudonyms"},

	"decision_log.path":            {file: minimal + "decision_log: {path: %s}\n", a: "a.jsonl", b: "b.jsonl", see: filesIn("*.jsonl")},
	"decision_log.max_size":        {file: logIs, a: "max_size: 4KiB", b: "max_size: 1MiB", see: decided(100)},
	"decision_log.max_files":       {file: logIs, a: "max_size: 4KiB, max_files: 1", b: "max_size: 4KiB, max_files: 9", see: decided(300)},
	"decision_log.max_age":         {unseen: "it is a second at least"},
	"decision_log.allowed_percent": {file: logIs, a: "allowed_percent: 0", b: "allowed_percent: 100", see: decided(20)},
	"decision_log.sample_key":      {file: logIs, a: "allowed_percent: 50, sample_key: {file: names.key}", b: "allowed_percent: 50, sample_key: {file: old.key}", see: decided(100)},
	"decision_log.queue_size":      {file: logIs, a: "queue_size: 100", b: "queue_size: 200", see: decided(1)},
	"decision_log.chain":           {file: logIs, a: "chain: true", b: "chain: false", see: decided(1)},
	"decision_log.chain_key":       {file: logIs, a: "chain_key: {file: decisions.key}", b: "chain: true", see: decided(1)},
	"decision_log.head_interval":   {unseen: "when a signature is written is seen by waiting alone"},

	"observers": {test: "TestObservers"},

	"serve.address":    {file: minimal + "proxies: {trusted: 192.0.2.1/32}\nserve: {proxy: nginx, address: %s}\n", a: "'127.0.0.1:1'", b: "'127.0.0.1:2'", see: func(_ *testing.T, s *Setup, _ string) string { return s.Address() }},
	"serve.proxy":      {file: minimal + "proxies: {trusted: 192.0.2.1/32}\nserve: {proxy: %s}\n", a: "nginx", b: "caddy", see: proxyAsks("GET", "/reports")},
	"serve.preflights": {file: minimal + "proxies: {trusted: 192.0.2.1/32}\nserve: {proxy: nginx, preflights: %s}\n", a: "true", b: "false", see: proxyAsks("OPTIONS", "/reports", "Origin", "https://a.example", "Access-Control-Request-Method", "GET"), only: "200"},
	"serve.semicolons": {file: minimal + "proxies: {trusted: 192.0.2.1/32}\nserve: {proxy: caddy, semicolons: %s}\n", a: "true", b: "false", see: proxyAsks("GET", "/reports;a", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/reports;a", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "api.example"), only: "403"},
}

const attributesAre = "model: attributes.conf, files: attributes.csv, functions: {pathMatch: keyMatch2}, "

// The budgets of attempts have the same keys.
func init() {
	for name, c := range map[string]struct{ other, from string }{
		"address": {"", "203.0.113.1"},
		"network": {"", "2001:db8:0:%x::1"},
		"account": {"", "203.0.113.%d"},
	} {
		see := guesses(c.from, 9)
		file := strings.Replace(guessing, "%s", c.other+name+": {%s}", 1)
		maps.Copy(effects, map[string]effect{
			"attempts." + name + ".failures": {file: file, a: "failures: 1, per: 5m, burst: 2", b: "failures: 100, per: 5m, burst: 2", see: see},
			"attempts." + name + ".per":      {file: file, a: "failures: 1, per: 1m, burst: 2", b: "failures: 1, per: 10m, burst: 2", see: see},
			"attempts." + name + ".burst":    {file: file, a: "failures: 1, per: 5m, burst: 1", b: "failures: 1, per: 5m, burst: 3", see: see},
		})
	}
}
