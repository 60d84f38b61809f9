package credentials

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

const config = "realm: reports\nbearer:\n  issuer: http://localhost:8080\n  audience: reports\n  jwks: jwks.json\npolicy:\n  model: rbac\n  files: policy.csv\n"

func TestTokenNeedsNoFlagsBesideAConfiguration(t *testing.T) {
	dir := write(t, map[string]string{"sallyport.yaml": config, "policy.csv": policy})
	good(t, dir, "", "keys", "new", "--development", "--key", "DIR/development.pem")
	t.Chdir(dir)
	p, err := clitest.VerifyToken(t, "jwks.json", good(t, dir, "", "token", "erin"))
	if err != nil || p.ID() != "erin" {
		t.Fatalf("%v, %v", p, err)
	}
	p, err = clitest.VerifyToken(t, "jwks.json", good(t, dir, "", "token", "erin", "--role", "editor,auditor", "--role", "x", "--scope", "a", "--scope", "b",
		"--claim", "region=eu", "--claim", "team=a", "--claim", "team=b", "--claim", "age:=7", "--claim", "n==", "--expires", "90d"))
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string) any { v, _ := p.Claim(name); return v }
	if !p.HasRole("auditor") || !p.HasRole("x") || !p.HasScope("a") || !p.HasScope("b") || claim("region") != "eu" || claim("age") != 7.0 || claim("n") != "=" {
		t.Errorf("%v %v", p, claim("age"))
	}
	if team, _ := claim("team").([]any); len(team) != 2 || team[1] != "b" {
		t.Errorf("team %v", claim("team"))
	}
}

func TestTokenSaysWhatIsMissing(t *testing.T) {
	dir := write(t, map[string]string{"empty/x": "", "policy.csv": policy, "sallyport.yaml": config, "nokey/sallyport.yaml": config, "nokey/policy.csv": policy})
	good(t, dir, "", "keys", "new", "DIR/signing.pem")
	good(t, dir, "", "keys", "new", "--key", "DIR/nokey/elsewhere.pem")
	good(t, dir, "", "keys", "new", "--key", "DIR/other.pem", "--jwks", "DIR/other.json")
	for _, c := range []struct {
		in, stderr string
		code       int
		args       []string
	}{
		{"empty", "which issuer? there is no sallyport.yaml here: name it with --issuer, or begin with \"sallyport init --framework ...\"", exitUsage, []string{"token", "erin"}},
		{"empty", "for which service?", exitUsage, []string{"token", "erin", "--issuer", "x"}},
		{"empty", "there is no private key signing.pem here", exitUsage, []string{"token", "erin", "--issuer", "x", "--audience", "y"}},
		{"empty", "no such file", exitUsage, []string{"token", "erin", "-c", "other.yaml"}},
		{"empty", "make one with \"sallyport keys new none.pem\"", exitUsage, []string{"token", "erin", "--issuer", "x", "--audience", "y", "--key", "none.pem"}},
		{"nokey", "make one with \"sallyport keys new\"", exitUsage, []string{"token", "erin"}},
		{".", "wants the subject", exitUsage, []string{"token"}},
		{".", "write NAME=VALUE", exitUsage, []string{"token", "erin", "--claim", "age"}},
		{".", "this is not JSON", exitUsage, []string{"token", "erin", "--claim", "age:=x"}},
		{".", "is given twice", exitUsage, []string{"token", "erin", "--claim", "age=x", "--claim", "age:=1"}},
		{".", "claim sub is set from", exitUsage, []string{"token", "erin", "--claim", "sub=x"}},
		{".", "--expires \"soon\" is neither", exitUsage, []string{"token", "erin", "--expires", "soon"}},
		{".", "--expires is empty", exitUsage, []string{"token", "erin", "--expires", ""}},
		{".", "one word", exitUsage, []string{"token", "erin", "--scope", "a b"}},
		{".", "JSON, not PEM", exitUsage, []string{"token", "erin", "--key", "jwks.json"}},
	} {
		t.Chdir(filepath.Join(dir, c.in))
		expect(t, dir, "", c.code, "", c.stderr, c.args...)
	}
	t.Chdir(dir)
	if err := os.Rename("other.pem", "signing.pem"); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "", exitUsage, "", "signing.pem is not a key of jwks.json", "token", "erin")
	if got := run(t, dir, "", "token", "erin", "--key", "signing.pem"); got.Code != exitOK {
		t.Errorf("with a named key: %+v", got)
	}
}

func TestKeysAreNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	expect(t, dir, "", exitOK, "signing.pem\njwks.json\n", "", "keys", "new", "--key", "DIR/signing.pem")
	before, err := os.ReadFile(filepath.Join(dir, "signing.pem"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "", exitUsage, "", "signing.pem already exists", "keys", "new", "DIR/signing.pem")
	expect(t, dir, "", exitUsage, "", "jwks.json already exists", "keys", "new", "DIR/second.pem")
	expect(t, dir, "", exitUsage, "", "is not one with a private key", "keys", "new", "DIR/x/second.pem", "--alg", "HS256")
	if after, err := os.ReadFile(filepath.Join(dir, "signing.pem")); err != nil || string(after) != string(before) {
		t.Errorf("the key has changed: %v", err)
	}
	if !atomicfile.NotThere(filepath.Join(dir, "second.pem")) {
		t.Error("half a pair was left")
	}
	info, err := os.Stat(filepath.Join(dir, "signing.pem"))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestKeysAreConvertedBothWays(t *testing.T) {
	dir := t.TempDir()
	good(t, dir, "", "keys", "new", "DIR/signing.pem", "--development")
	published, err := os.ReadFile(filepath.Join(dir, "jwks.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := good(t, dir, "", "keys", "jwks", "DIR/signing.pem"); got != string(published) || strings.Contains(got, `"d"`) {
		t.Errorf("%s is not %s", got, published)
	}
	public := good(t, dir, "", "keys", "jwks", "--pem", "DIR/jwks.json")
	if err := os.WriteFile(filepath.Join(dir, "public.pem"), []byte(public), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := good(t, dir, "", "keys", "jwks", "DIR/public.pem", "DIR/signing.pem", "DIR/jwks.json"); got != string(published) {
		t.Errorf("%s is not %s", got, published)
	}
	expect(t, dir, "", exitUsage, "", "wants files of keys", "keys", "jwks")
	expect(t, dir, "", exitUsage, "", "no such file", "keys", "jwks", "DIR/none.pem")
}

func TestRotatedKeySignsAndThePreviousVerifiesAWhile(t *testing.T) {
	dir := write(t, map[string]string{"sallyport.yaml": config, "policy.csv": policy})
	t.Chdir(dir)
	good(t, dir, "", "keys", "new", "--development")
	old := good(t, dir, "", "token", "erin")
	kid := strings.TrimSpace(good(t, dir, "", "keys", "rotate"))
	fresh := good(t, dir, "", "token", "victor")
	for name, token := range map[string]string{"former": old, "new": fresh} {
		if _, err := clitest.VerifyToken(t, "jwks.json", token); err != nil {
			t.Errorf("%s key: %v", name, err)
		}
	}
	set, err := jwtauth.OpenJWKS("jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	all := set.All()
	if len(all) != 2 || all[0].ID() != kid || !all[0].Development() || !all[0].Until().IsZero() || all[1].Until().IsZero() || all[1].ID() == kid {
		t.Errorf("set %+v", all)
	}
	good(t, dir, "", "keys", "rotate", "--keep", "0s", "--alg", "EdDSA")
	if _, err := clitest.VerifyToken(t, "jwks.json", fresh); err == nil {
		t.Error("the previous key still verifies")
	}
	if _, err := clitest.VerifyToken(t, "jwks.json", old); err != nil {
		t.Errorf("the previous key ends too early: %v", err)
	}
	if _, err := clitest.VerifyToken(t, "jwks.json", good(t, dir, "", "token", "erin")); err != nil {
		t.Error(err)
	}
	expect(t, dir, "", exitUsage, "", "--keep \"soon\" is not a duration", "keys", "rotate", "--keep", "soon")
	good(t, dir, "", "keys", "new", "--key", "other.pem", "--jwks", "other.json")
	expect(t, dir, "", exitUsage, "", "does not hold the public part", "keys", "rotate", "--jwks", "other.json")
	expect(t, dir, "", exitUsage, "", "there is no JWK set none.json", "keys", "rotate", "--jwks", "none.json")
}

func TestPasswordIsSetForOneUser(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "users.htpasswd")
	expect(t, dir, "erin-pass\n", exitOK, "", "erin has a new password in", "passwd", "DIR/users.htpasswd", "erin", "--cost", "10")
	info, err := os.Stat(file)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, strings.Repeat("v", 100)+"\r\nnot this", exitOK, "", "victor has a new password", "passwd", "DIR/users.htpasswd", "victor", "--hash", "argon2id")
	expect(t, dir, "changed", exitOK, "", "erin has a new password", "passwd", "DIR/users.htpasswd", "erin", "--cost", "10")
	users, err := htpasswd.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for user, password := range map[string]string{"erin": "changed", "victor": strings.Repeat("v", 100)} {
		if _, err := users.VerifyPassword(t.Context(), user, password); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
	if _, err := users.VerifyPassword(t.Context(), "erin", "erin-pass"); err == nil {
		t.Error("the previous password still works")
	}
	if info, err = os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestWeakPasswordsAreRefused(t *testing.T) {
	dir := write(t, map[string]string{"broken.htpasswd": "erin\n"})
	for _, c := range []struct {
		stdin, stderr string
		args          []string
	}{
		{"", "the password is empty", []string{"passwd", "DIR/u", "erin"}},
		{"\n", "the password is empty", []string{"passwd", "DIR/u", "erin"}},
		{strings.Repeat("x", 73), "use argon2id", []string{"passwd", "DIR/u", "erin"}},
		{strings.Repeat("x", 5000), "longer than 4096 bytes", []string{"passwd", "DIR/u", "erin", "--hash", "argon2id"}},
		{"x", "from 10 to 16", []string{"passwd", "DIR/u", "erin", "--cost", "5"}},
		{"x", "--cost is for bcrypt", []string{"passwd", "DIR/u", "erin", "--cost", "12", "--hash", "argon2id"}},
		{"x", "use one of bcrypt, argon2id", []string{"passwd", "DIR/u", "erin", "--hash", "md5"}},
		{"x", "contains a colon", []string{"passwd", "DIR/u", "er:in", "--cost", "10"}},
		{"x", "broken.htpasswd:1: no colon", []string{"passwd", "DIR/broken.htpasswd", "erin", "--cost", "10"}},
		{"x", "wants a password file and a user, and got 1 argument", []string{"passwd", "DIR/u"}},
	} {
		expect(t, dir, c.stdin, exitUsage, "", c.stderr, c.args...)
	}
	if !atomicfile.NotThere(filepath.Join(dir, "u")) {
		t.Error("a file was written")
	}
}

// A program that continues after writing the password keeps the pipe open.
func TestPasswordIsOnlyTheFirstLine(t *testing.T) {
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	go func() { _, _ = io.WriteString(w, "erin-pass\n") }()
	var stdout, stderr strings.Builder
	if code := program([]string{"passwd", filepath.Join(t.TempDir(), "users"), "erin", "--cost", "10"}, r, &stdout, &stderr); code != exitOK {
		t.Errorf("%d: %s", code, stderr.String())
	}
}
