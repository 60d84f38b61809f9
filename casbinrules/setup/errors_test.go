package setup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// TestErrors: what is wrong with a file is said with its place and what to do.
// Each text is that of a file, and wants what the message says behind its name.
func TestErrors(t *testing.T) {
	t.Setenv("SALLYPORT_EMPTY", "")
	t.Setenv("SALLYPORT_WORD", "yes")
	with := func(file string) func(keys string) string {
		return func(keys string) string { return strings.Replace(file, "%s", keys, 1) }
	}
	boundIs, digestIs, policyOf := with(boundWith), with("realm: a\ndigest: {htdigest: users.htdigest, %s}\n"+withPolicy), with(policyIs)
	certsAre := with("realm: a\nclient_certificates: {%s}\n" + withPolicy)
	sharedWith := with("realm: a\nbasic: {htpasswd: users.htpasswd}\npolicy: {model: rbac, %s}\n")
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"# nothing\n", ":1:1: the file is empty"},
		"syntax":           {"realm: reports\nbearer:\n\tissuer: x\n", ":3:1: found character that cannot start any token while scanning for the next token (indent with spaces, and put text that begins with a special character in quotes)"},
		"less indented":    {strings.Replace(minimal, "  audience", " audience", 1), ":5:2: did not find expected key while parsing a block mapping that begins in line 2 (look at this line and the one above: "},
		"more indented":    {strings.Replace(minimal, "  audience", "   audience", 1), ":5:12: mapping values are not allowed in this context (look at this line and the one above: "},
		"tab inside":       {strings.Replace(minimal, "  audience", "\taudience", 1), ":5:1: found a tab character that violates indentation while scanning a plain scalar that begins in line 4 (indent with spaces)"},
		"no blank":         {strings.Replace(minimal, "audience: ", "audience:", 1), ":6:3: could not find expected ':' while scanning a simple key that begins in line 5 (look at this line and the one above: "},
		"shell variable":   {strings.Replace(minimal, "https://idp.example", "$IDP_URL", 1), ":4:11: bearer.issuer: $IDP_URL is not replaced by a variable of the environment (write ${IDP_URL})"},
		"folder":           {strings.Replace(minimal, "jwks.json", ".", 1), ":6:9: bearer.jwks: DIR is a folder, and one file is expected"},
		"kind by its name": {minimal + "session: {store: redis}\n", ":10:11: session.store: one value where one kind with its settings is expected (write store: {KIND: {…}}; import _ \"github.com/sallyport-go/sallyport/casbinrules/setup/redis\" in the program)"},
		"kind left out":    {minimal + "session: {sign_in: {url: x, client: y}}\n", ":10:11: session.sign_in: keys where one kind with its settings is expected (write sign_in: {KIND: {…}}; known kinds: door, oidc)"},
		"first words":      {minimal + "session: {plain_http: true}\n", `:10:11: session: unknown key "plain_http" (did you mean plain_http_for_development?)`},
		"open quote":       {"realm: 'reports\n\n", ":3:1: found unexpected end of stream while scanning a quoted scalar that begins in line 1"},
		"documents":        {"realm: a\n---\nrealm: b\n", ":1:1: the file contains several documents: remove the lines ---"},
		"a list":           {"- realm: reports\n", ":1:1: a list where keys are expected: realm, bearer, dpop, basic, "},
		"unknown key":      {minimal + "bearre: 1\n", `:10:1: unknown key "bearre" (did you mean bearer?)`},
		"unknown inside":   {strings.Replace(minimal, "audience", "audeince", 1), `:5:3: bearer: unknown key "audeince" (did you mean audience?)`},
		"key elsewhere":    {minimal + "htpasswd: users.htpasswd\n", `:10:1: unknown key "htpasswd" (htpasswd belongs below basic)`},
		"key of another":   {"realm: a\nbasic: {file: users}\n", `:2:9: basic: unknown key "file" (file belongs below api_keys; known here: htpasswd, store_file, `},
		"key twice":        {minimal + "realm: again\n", `:10:1: realm: the key stands in line 2 already`},
		"no realm":         {"basic: {htpasswd: users.htpasswd}\n", ":1:1: realm is missing (name of the service in challenges)"},
		"no scheme":        {"realm: reports\n", ": no scheme: the file needs one of bearer, basic, "},
		"number":           {"realm: 7\n", `:1:8: realm: 7 is not text (put it in quotes)`},
		"bool for text":    {"realm: true\n", `:1:8: realm: true is not text (put it in quotes)`},
		"text for bool":    {"realm: a\nwatch: yes\n", `:2:8: watch: yes is not true or false`},
		"nothing":          {"realm:\n", `:1:7: realm: nothing where text is expected`},
		"list for text":    {"realm: [a]\n", `:1:8: realm: a list where text is expected`},
		"duration":         {"realm: a\nbearer: {leeway: 30}\n", `:2:18: bearer.leeway: "30": not a duration (with a unit, as in 300ms, 30s, 15m, 12h)`},
		"size":             {"realm: a\nbearer: {max_token_size: 8kb}\n", `:2:26: bearer.max_token_size: "8kb": not a number of bytes such as 16384, 16KiB or 1MiB`},
		"enum":             {"realm: a\nbearer: {clients: refuse}\n", `:2:19: bearer.clients: "refuse": not one of named, refused, as_users (did you mean refused?)`},
		"anchor":           {"realm: &r a\nbasic: *r\n", `:1:8: realm: anchors and aliases are not supported (write the value out)`},
		"tag":              {"realm: !!str a\n", `:1:8: realm: tags such as !!str are not supported (leave the tag out)`},
		"no environment":   {"realm: ${SALLYPORT_NO_SUCH}\n", `:1:8: realm: the environment has no variable SALLYPORT_NO_SUCH (export SALLYPORT_NO_SUCH=… first)`},
		"no variable":      {"realm: a${b\n", `:1:8: realm: a variable that is not one (write ${NAME}, or $${ for the two characters themselves)`},
		"no keys":          {strings.Replace(minimal, "jwks.json", "none.json", 1), ":6:9: bearer.jwks: \"none.json\": there is no file DIR/none.json (sallyport keys new makes one)"},
		"no users":         {"realm: a\nbasic: {htpasswd: none}\n", ":2:19: basic.htpasswd: \"none\": there is no file DIR/none (sallyport passwd FILE USER makes one)"},
		"no policy":        {strings.Replace(minimal, "policy.csv", "none.csv", 1), ":9:10: policy.files: \"none.csv\": there is no file DIR/none.csv (sallyport init writes one)"},
		"no model":         {strings.Replace(minimal, "model.conf", "rbak", 1), ":8:10: policy.model: there is neither a file DIR/rbak nor a built-in model of that name: those are rbac, rbac-deny, rbac-tenants and rbac-tenants-patterns (sallyport init writes a model)"},
		"URL for a file":   {"realm: a\nbasic: {htpasswd: 'https://idp.example/users'}\n", `:2:19: basic.htpasswd: "https://idp.example/users": a URL where the path of a file is expected`},
		"URL for a policy": {strings.Replace(minimal, "policy.csv", "https://x.example/p.csv", 1), `:9:10: policy.files: "https://x.example/p.csv": a URL where the path of a file is expected`},
		"URL for a model":  {strings.Replace(minimal, "model.conf", "https://x.example/m", 1), `:8:10: policy.model: a URL where the path of a model file is expected`},
		"no file":          {"realm: a\nbasic: {htpasswd: /dev/null}\n", `:2:19: basic.htpasswd: "/dev/null": /dev/null is not a regular file`},
		"trusted origin":   {minimal + "browsers: {trusted_origins: 'https://a.example/'}\n", `:10:12: browsers.trusted_origins: trusted origin "https://a.example/": an origin must be scheme, host and port`},
		"CORS origin":      {minimal + "session: {}\nbrowsers: {cors_origins: 'https://a.example/'}\n", `:11:12: browsers.cors_origins: CORS origin "https://a.example/": an origin must be scheme, host and port`},
		"no issuer":        {"realm: a\nbearer: {audience: b}\n", ":2:1: bearer: issuer is missing: what the claim iss of tokens must be, exactly"},
		"no audience":      {"realm: a\nbearer: {issuer: 'https://idp.example'}\n", ":2:18: bearer.issuer: audience is missing"},
		"issuers beside":   {"realm: a\nbearer:\n  audience: b\n  issuers: [{issuer: 'https://idp.example'}]\n", ":3:3: bearer.audience: the keys of one issuer cannot be combined with issuers: put this into each issuer"},
		"not in the list":  {"realm: a\nbearer:\n  issuers: [{issuer: 'https://idp.example', audience: b}]\n  claims: {id: x}\n  revocations: policy.csv\n", ":4:3: bearer.claims: the keys of one issuer cannot be combined with issuers"},
		"for no JWTs":      {"realm: a\nbearer:\n  introspection: {endpoint: 'http://127.0.0.1:1', client: a, secret: {file: names.key}, any_audience: true}\n  id_prefix: 'a:'\n", ":4:14: bearer.id_prefix: this is for JSON Web Tokens, and no issuer of them is named"},
		"broken keys":      {strings.Replace(minimal, "jwks.json", "policy.csv", 1), ":6:9: bearer.jwks: "},
		"broken users":     {"realm: a\nbasic: {htpasswd: policy.csv}\n", ":2:19: basic.htpasswd: DIR/policy.csv:1: "},
		"plain http file":  {strings.Replace(minimal, "jwks: ", "plain_http: true\n  jwks: ", 1), ":6:15: bearer.plain_http: this is only for keys that are fetched"},
		"no tenant place":  {minimal + "tenant: {}\n", ":10:1: tenant: name one place where requests say which tenant they are for: path, host or header"},
		"two places":       {minimal + "tenant: {path: '/t/:tenant', header: X-Tenant}\n", ":10:1: tenant: name one place"},
		"tenant pattern":   {minimal + "tenant: {path: '/t/{tenant}'}\n", `:10:16: tenant.path: tenant from path: pattern "/t/{tenant}" must be like "/t/:tenant"`},
		"tenant field":     {minimal + "tenant: {header: 'X Tenant'}\n", `:10:18: tenant.header: tenant from header: "X Tenant" is not the name of a field`},
		"same issuer":      {"realm: a\nbearer:\n  issuers:\n  - &a {issuer: b}\n", ":4:5: bearer.issuers: anchors and aliases are not supported"},
		"fallback alone":   {boundIs("replay_fallback: true"), ":3:57: dpop.replay_fallback: this is only for proofs in a store: replays is missing"},
		"older nonce keys": {boundIs("previous_nonce_keys: [{file: names.key}]"), ":3:40: dpop.previous_nonce_keys: nonce_key is missing"},
		"two issuers":      {"realm: a\nbearer: {issuer: 'https://a.example', issuer_template: 'https://{t}.example', audience: b, jwks: jwks.json}\n", ":2:56: bearer.issuer_template: issuer_template beside issuer: choose one"},
		"template's keys":  {"realm: a\nbearer: {issuer_template: 'https://{t}.example', audience: b}\n", ":2:27: bearer.issuer_template: jwks is missing"},
		"two audiences":    {"realm: a\nbearer: {issuer: 'https://a.example', audience: b, any_audience: true, jwks: jwks.json}\n", ":2:66: bearer.any_audience: any_audience beside audience: choose one"},
		"JWKS alone":       {"realm: a\nbearer: {jwks: jwks.json, introspection: {endpoint: 'http://127.0.0.1:1', client: a, secret: {file: names.key}, any_audience: true}}\n", ":2:1: bearer: issuer is missing"},
		"count fallback":   {digestIs("count_fallback: true"), ":2:52: digest.count_fallback: this is only for counts in a store: counts is missing"},
		"counts' key":      {digestIs("counts: {gone: {}}"), ":2:36: digest.counts: counts needs nonce_key"},
		"older Digest key": {digestIs("previous_nonce_keys: [{file: names.key}]"), ":2:36: digest.previous_nonce_keys: nonce_key is missing"},
		"no authority":     {certsAre("identity: uri, ca: names.key"), ":2:42: client_certificates.ca: no certificate in the file"},
		"who may send":     {certsAre("identity: uri, header: nginx"), ":2:46: client_certificates.header: proxies is missing: it says who may send certificates"},
		"no trust domain":  {certsAre("identity: spiffe"), ":2:33: client_certificates.identity: trust_domain goes with the identity spiffe"},
		"other identity":   {certsAre("identity: uri, trust_domain: a.example"), ":2:52: client_certificates.trust_domain: trust_domain goes with the identity spiffe"},
		"no policy files":  {"realm: a\nbasic: {htpasswd: users.htpasswd}\npolicy: {model: rbac}\n", ":3:1: policy: files is missing: name policy files, or a store"},
		"files and store":  {sharedWith("files: policy.csv, store: {one: {}}"), ":3:23: policy.files: files and store: choose one"},
		"poll of files":    {sharedWith("files: policy.csv, poll_interval: 1s"), ":3:57: policy.poll_interval: this is only for a policy in a store"},
		"age of files":     {sharedWith("files: policy.csv, max_staleness: 1s"), ":3:57: policy.max_staleness: this is only for a policy in a store"},
		"stale files":      {sharedWith("files: policy.csv, when_stale: serve"), ":3:54: policy.when_stale: this is only for a policy in a store"},
		"last good files":  {sharedWith("files: policy.csv, last_good_file: a"), ":3:58: policy.last_good_file: this is only for a policy in a store"},
		"older files":      {sharedWith("files: policy.csv, older_revisions: true"), ":3:59: policy.older_revisions: this is only for a policy in a store"},
		"when stale":       {sharedWith("store: {one: {}}, when_stale: serve"), ":3:53: policy.when_stale: when_stale needs max_staleness"},
		"policy types":     {policyOf("model: model.conf, files: policy.csv, attribute_types: {age: number}"), ":3:1: policy: "},
		"no log":           {minimal + "revocations: {poll_interval: 1s}\n", ":10:1: revocations: store is missing: the log that instances share"},
		"when log stale":   {minimal + "revocations: {store: {memory: {}}, when_stale: serve}\n", ":10:48: revocations.when_stale: when_stale needs max_staleness"},
		"no store key":     {minimal + "attempts: {store: {gone: {}}}\n", ":10:1: attempts: store_key is missing: at least 32 random bytes"},
		"store key alone":  {minimal + "attempts: {store_key: {file: names.key}}\n", ":10:23: attempts.store_key: this is only for attempts in a store"},
		"unshared alone":   {minimal + "attempts: {unshared_attempts: 2}\n", ":10:31: attempts.unshared_attempts: this is only for attempts in a store"},
		"files in no store": {"realm: a\napi_keys: {store_file: a.keys}\npolicy: {model: rbac, files: policy.csv}\n",
			":2:24: api_keys.store_file: policy.store is missing: the file is in the store of the policy"},
		"open secret":     {boundIs("nonce_key: open"), ":3:51: dpop.nonce_key: a secret must not be written into this file (write ${NAME} for a variable"},
		"secret in part":  {boundIs("nonce_key: '${PATH}x'"), ":3:51: dpop.nonce_key: a secret must not be written into this file"},
		"empty variable":  {boundIs("nonce_key: '${SALLYPORT_EMPTY}'"), ":3:51: dpop.nonce_key: the variable ${SALLYPORT_EMPTY} is empty"},
		"empty secret":    {boundIs("nonce_key: {file: empty}"), ":3:51: dpop.nonce_key: the file DIR/empty is empty"},
		"long secret":     {boundIs("nonce_key: {file: long}"), ":3:51: dpop.nonce_key: the file DIR/long is larger than 65536 bytes"},
		"empty text":      {"realm: ''\n", `:1:8: realm: "": it must not be empty (leave the key out for none)`},
		"empty list":      {minimal + "browsers: {cors_origins: []}\n", ":10:12: browsers.cors_origins: the list is empty (leave the key out for none)"},
		"empty names":     {sharedWith("files: policy.csv, attributes: {}"), ":3:42: policy.attributes: keys where names with values are expected"},
		"merge key":       {"realm: a\n<<: {realm: b}\n", ":2:1: a key must be one word, such as realm"},
		"expanded bool":   {"realm: a\nwatch: ${SALLYPORT_WORD}\n", `:2:8: watch: "${SALLYPORT_WORD}": neither true nor false`},
		"which of two":    {"realm: a\nbasic: {htpasswd: users.htpasswd}\nproxies: {trusted: [10.0.0.0/8, x]}\n", `:3:33: proxies.trusted[1]: "x": not a network such as`},
		"large size":      {"realm: a\nbearer: {max_token_size: 1025GiB}\n", `:2:26: bearer.max_token_size: "1025GiB": not a number of bytes`},
		"only null":       {"~\n", ":1:1: the file is empty"},
		"too large":       {"#" + strings.Repeat(" ", 1<<20) + "\nrealm: a\n", ": larger than 1048576 bytes"},
		"kind's tag":      {minimal + "session: {store: {!x recorder: {}}}\n", ":10:19: session.store.recorder: tags such as !x are not supported"},
		"unreadable file": {"realm: a\nbasic: {htpasswd: users.htpasswd/x}\n", `:2:19: basic.htpasswd: "users.htpasswd/x": file DIR/users.htpasswd/x: not a directory`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := configFile(t, c.text)
			write(t, filepath.Join(filepath.Dir(path), "empty"), "\r\n")
			write(t, filepath.Join(filepath.Dir(path), "long"), strings.Repeat("x", 64<<10+1))
			s, err := Open(path, quiet())
			if err == nil {
				t.Fatalf("%v has no error", s)
			}
			got := strings.ReplaceAll(err.Error(), path, "")
			got = strings.ReplaceAll(got, filepath.Dir(path), "DIR")
			if first, _, _ := strings.Cut(filepath.ToSlash(got), "\n"); !strings.HasPrefix(first, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestAllErrors: a file is read to its end, and what is wrong with it said in
// its order.
func TestAllErrors(t *testing.T) {
	t.Parallel()
	_, err := Open(configFile(t, "basic: {htpasswd: none}\nwatch: 1\nrealn: a\n"), quiet())
	var all Errors
	if !errors.As(err, &all) {
		t.Fatalf("%v is no Errors", err)
	}
	var lines []int
	for _, e := range all {
		lines = append(lines, e.Line)
	}
	if len(lines) != 4 || lines[0] != 1 || lines[1] != 1 || lines[2] != 2 || lines[3] != 3 {
		t.Errorf("errors in lines %v, want 1 1 2 3:\n%v", lines, err)
	}
}

// TestAllFiles: what is wrong with the files that a configuration names is said of each
// of them, once and in its order.
func TestAllFiles(t *testing.T) {
	t.Parallel()
	path := configFile(t, `realm: reports
bearer:
  issuer: https://idp.example
  audience: reports
  jwks: broken
  revocations: broken
dpop: {address: 'https://api.example'}
basic: {htpasswd: broken}
digest: {htdigest: broken}
api_keys: {file: broken}
policy: {model: rbac, files: broken}
`)
	write(t, filepath.Join(filepath.Dir(path), "broken"), "p, alice\n")
	_, err := Open(path, quiet())
	var all Errors
	if !errors.As(err, &all) {
		t.Fatalf("%v is no Errors", err)
	}
	var keys []string
	for _, e := range all {
		keys = append(keys, e.Key)
	}
	if got, want := strings.Join(keys, " "), "bearer.jwks bearer.revocations basic.htpasswd digest.htdigest api_keys.file policy"; got != want {
		t.Errorf("mistakes in %s, want %s:\n%v", got, want, err)
	}
	if _, ok := errors.AsType[*casbinrules.FindingsError](err); !ok {
		t.Error("the findings are not in the error")
	}
}

// TestNoFile names the command that writes one.
func TestNoFile(t *testing.T) {
	t.Parallel()
	_, err := Open(filepath.Join(t.TempDir(), "sallyport.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "sallyport init") {
		t.Errorf("%v", err)
	}
}

// TestFirstErrorsNameTheNextStep: the mistakes of the first hour are answered
// with what to do next, at their place in the file.
func TestFirstErrorsNameTheNextStep(t *testing.T) {
	t.Parallel()
	const rsaKey = `{"keys":[{"kty":"RSA","kid":"a","e":"AQAB","n":"` +
		`ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ` +
		`"}]}`
	for name, c := range map[string]struct{ set, text, place, want string }{
		"private PEM": {"-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n", minimal, ":6:9: bearer.jwks: ", `"sallyport keys jwks"`},
		"public PEM":  {"-----BEGIN PUBLIC KEY-----\nMCo=\n-----END PUBLIC KEY-----\n", minimal, ":6:9: bearer.jwks: ", `"sallyport keys jwks"`},
		"no alg":      {rsaKey, minimal, ":6:9: bearer.jwks: ", "rsa_algorithm"},
		"a page":      {"<!doctype html>", minimal, ":6:9: bearer.jwks: ", "a configuration without jwks"},
		"metadata":    {`{"issuer":"https://idp.example","jwks_uri":"https://idp.example/jwks"}`, minimal, ":6:9: bearer.jwks: ", "leave out jwks"},
		"metadata's URL": {"", strings.Replace(minimal, "https://idp.example", "https://idp.example/.well-known/openid-configuration", 1),
			":4:11: bearer.issuer: ", `usually "https://idp.example"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := configFile(t, c.text)
			if c.set != "" {
				write(t, filepath.Join(filepath.Dir(path), "jwks.json"), c.set)
			}
			_, err := Open(path, quiet())
			if err == nil {
				t.Fatal("no error")
			}
			first, _, _ := strings.Cut(strings.Replace(err.Error(), path, "", 1), "\n")
			if !strings.HasPrefix(first, c.place) || !strings.Contains(first, c.want) {
				t.Errorf("%s\ndoes not stand at %s, or does not say %s", first, c.place, c.want)
			}
		})
	}
}
