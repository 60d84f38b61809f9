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
	t.Parallel()
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
		"kind left out":    {minimal + "session: {sign_in: {url: x, client: y}}\n", ":10:11: session.sign_in: keys where one kind with its settings is expected (write sign_in: {KIND: {…}}; known kinds: oidc)"},
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
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := configFile(t, c.text)
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
