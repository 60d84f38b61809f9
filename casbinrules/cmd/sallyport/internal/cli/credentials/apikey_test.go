package credentials

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// keyFile has a valid key, an expired one and a revoked one.
const keyFile = `# Keys of the service reports.

[sp_aaaaaaaaaa]
hash = sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
owner = ci-bot
roles = editor, viewer
scopes = reports:read
tenant = globex
comment = nightly build
created = 2026-11-01T12:00:00Z
expires = 9999-01-01T00:00:00Z

# Gone since spring.
[sp_bbbbbbbbbb]
hash = sha256:0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b
owner = erin
expires = 2026-01-01T00:00:00Z

[sp_cccccccccc]
hash = sha256:0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c
owner = ci-bot
comment = old
revoked = 2026-02-01T00:00:00Z laptop stolen
`

// masked replaces all parts of text that differ from run to run.
func masked(text string) string {
	for _, m := range []struct{ pattern, by string }{
		{`sp_[a-z2-7]{10}\.[a-z2-7]{59}`, "KEY"}, {`sp_[a-z2-7]{10}`, "ID"}, {`sha256:[0-9a-f]{64}`, "HASH"},
		{`20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "TIME"},
	} {
		text = regexp.MustCompile(m.pattern).ReplaceAllString(text, m.by)
	}
	return text
}

func TestAPIKeyNew(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "api.keys")
	got := run(t, dir, "", "apikey", "new", "-f", "DIR/api.keys", "--owner", "ci-bot", "--roles", "editor,viewer", "--scopes", "reports:read",
		"--tenant", "globex", "--comment", "nightly build", "--expires", "90d")
	key := strings.TrimSuffix(got.Stdout, "\n")
	if got.Code != exitOK || masked(got.Stdout) != "KEY\n" ||
		masked(got.Stderr) != "sallyport: key ID of ci-bot is good until TIME. It is not shown again.\n" {
		t.Fatalf("got %+v", got)
	}
	want := "[ID]\nhash = HASH\nowner = ci-bot\nroles = editor, viewer\nscopes = reports:read\ntenant = globex\ncomment = nightly build\ncreated = TIME\nexpires = TIME\n"
	if text := masked(readFile(t, file)); text != want {
		t.Errorf("file\n%s\nwant\n%s", text, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	_, secret, _ := strings.Cut(key, ".")
	if strings.Contains(readFile(t, file)+got.Stderr, secret) {
		t.Error("the secret is printed twice")
	}
	keys, err := apikey.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for k := range keys.Keys() {
		if i := k.Info(); i.Expires.Sub(i.Created) != 90*24*time.Hour || time.Since(i.Created) > authtest.TimeLimit(time.Minute) {
			t.Errorf("created %v, expires %v", i.Created, i.Expires)
		}
	}
	// A second key is appended, and existing content stays.
	before := readFile(t, file)
	got = run(t, dir, "", "apikey", "new", "-f", "DIR/api.keys", "--owner", "erin")
	if got.Code != exitOK || !strings.Contains(got.Stderr, "of erin does not expire.") {
		t.Errorf("got %+v", got)
	}
	if text := readFile(t, file); !strings.HasPrefix(text, before) || masked(text[len(before):]) != "\n[ID]\nhash = HASH\nowner = erin\ncreated = TIME\n" {
		t.Errorf("file\n%s", text)
	}
	// A file with only comments may be extended.
	if err := os.WriteFile(file, []byte("# none yet\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if got := run(t, dir, "", "apikey", "new", "-f", "DIR/api.keys", "--owner", "erin"); got.Code != exitOK || !strings.HasPrefix(readFile(t, file), "# none yet\n\n[sp_") {
		t.Errorf("got %+v\n%s", got, readFile(t, file))
	}
}

// A key that could not be printed is not silently lost.
func TestAPIKeyNewWithoutOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.keys")
	var stderr bytes.Buffer
	code := program([]string{"apikey", "new", "-f", file, "--owner", "erin"}, strings.NewReader(""), brokenPipe{}, &stderr)
	if code != exitUsage || !strings.Contains(masked(stderr.String()), "sallyport: key ID was made and could not be shown, so revoke it: broken pipe") {
		t.Errorf("%d %s", code, stderr.String())
	}
}

func TestAPIKeyList(t *testing.T) {
	dir := write(t, map[string]string{"api.keys": keyFile})
	expect(t, dir, "", exitOK, `ID             STATE    OWNER   ROLES          SCOPES        TENANT  CREATED               EXPIRES               REMARKS
sp_aaaaaaaaaa  good     ci-bot  editor,viewer  reports:read  globex  2026-11-01T12:00:00Z  9999-01-01T00:00:00Z  nightly build
sp_bbbbbbbbbb  expired  erin    -              -             -       -                     2026-01-01T00:00:00Z  -
sp_cccccccccc  revoked  ci-bot  -              -             -       -                     -                     old; revoked 2026-02-01T00:00:00Z: laptop stolen
`, "", "apikey", "list", "-f", "DIR/api.keys")
	got := run(t, dir, "", "apikey", "list", "-f", "DIR/api.keys", "--format", "json")
	var all []map[string]any
	if err := json.Unmarshal([]byte(got.Stdout), &all); err != nil || len(all) != 3 || all[1]["state"] != "expired" || all[2]["reason"] != "laptop stolen" {
		t.Errorf("%v %+v", err, got)
	}
	if strings.Contains(got.Stdout, "0a0a") {
		t.Error("hashes are listed")
	}
}

func TestAPIKeyRevoke(t *testing.T) {
	dir := write(t, map[string]string{"api.keys": keyFile})
	file := filepath.Join(dir, "api.keys")
	expect(t, dir, "", exitOK, "sp_aaaaaaaaaa\n", "", "apikey", "revoke", "-f", "DIR/api.keys", "sp_aaaaaaaaaa", "--reason", "lost")
	want := strings.Replace(keyFile, "expires = 9999-01-01T00:00:00Z\n", "expires = 9999-01-01T00:00:00Z\nrevoked = TIME lost\n", 1)
	got := regexp.MustCompile(`revoked = \S+ lost`).ReplaceAllString(readFile(t, file), "revoked = TIME lost")
	if got != want {
		t.Errorf("file\n%s\nwant\n%s", got, want)
	}
	text := readFile(t, file)
	expect(t, dir, "", exitOK, "", "sallyport: key sp_aaaaaaaaaa was revoked already\n", "apikey", "revoke", "-f", "DIR/api.keys", "sp_aaaaaaaaaa")
	expect(t, dir, "", exitUsage, "", "api.keys has no key sp_dddddddddd: nothing was revoked", "apikey", "revoke", "-f", "DIR/api.keys", "sp_bbbbbbbbbb", "sp_dddddddddd")
	expect(t, dir, "", exitUsage, "", `api.keys has no key of "nobody": nothing was revoked`, "apikey", "revoke", "-f", "DIR/api.keys", "--owner", "nobody")
	expect(t, dir, "", exitUsage, "", "reason: contains an invisible character", "apikey", "revoke", "-f", "DIR/api.keys", "sp_bbbbbbbbbb", "--reason", "a\nb")
	if readFile(t, file) != text {
		t.Error("the file was changed")
	}
	if err := os.WriteFile(file, []byte(keyFile), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "", exitOK, "sp_aaaaaaaaaa\n", "key sp_cccccccccc was revoked already\n", "apikey", "revoke", "-f", "DIR/api.keys", "--owner", "ci-bot")
	expect(t, dir, "", exitOK, "sp_bbbbbbbbbb\n", "", "apikey", "revoke", "-f", "DIR/api.keys", "sp_bbbbbbbbbb")
}

func TestAPIKeyUsage(t *testing.T) {
	dir := write(t, map[string]string{"api.keys": keyFile})
	key, _, _ := apikey.Generate()
	for _, c := range []struct {
		stderr string
		args   []string
	}{
		{"which command? one of list, new, revoke\nrun \"sallyport apikey --help\"", nil},
		{"unknown command \"x\"", []string{"x"}},
		{"which key file? name it with --file", []string{"new", "--owner", "x"}},
		{"which key file? name it with --file", []string{"list"}},
		{"which key file? name it with --file", []string{"revoke", "sp_aaaaaaaaaa"}},
		{"whose key? name the owner with --owner\nrun \"sallyport apikey new --help\"", []string{"new", "-f", "DIR/api.keys"}},
		{"role 1: contains a #", []string{"new", "-f", "DIR/api.keys", "--owner", "x", "--roles", "#a"}},
		{"comment: contains a key", []string{"new", "-f", "DIR/api.keys", "--owner", "x", "--comment", key}},
		{`--expires "soon" is neither`, []string{"new", "-f", "DIR/api.keys", "--owner", "x", "--expires", "soon"}},
		{`--expires "2020-01-01" is past`, []string{"new", "-f", "DIR/api.keys", "--owner", "x", "--expires", "2020-01-01"}},
		{"no such file", []string{"list", "-f", "DIR/none"}},
		{"open none: file does not exist", []string{"revoke", "-f", "DIR/none", "sp_aaaaaaaaaa"}},
		{"no such file", []string{"new", "-f", "DIR/none/keys", "--owner", "x"}},
		{"is not a regular file", []string{"new", "-f", "DIR", "--owner", "x"}},
		{"there is no format \"csv\": use one of text, json", []string{"list", "-f", "DIR/api.keys", "--format", "csv"}},
		{"which keys? give their IDs, or --owner", []string{"revoke", "-f", "DIR/api.keys"}},
		{"which keys? give their IDs, or --owner", []string{"revoke", "-f", "DIR/api.keys", "sp_aaaaaaaaaa", "--owner", "x"}},
		{"argument 2 is not the ID of a key", []string{"revoke", "-f", "DIR/api.keys", "sp_aaaaaaaaaa", key}},
	} {
		expect(t, dir, "", exitUsage, "", c.stderr, append([]string{"apikey"}, c.args...)...)
		if got := run(t, dir, "", append([]string{"apikey"}, c.args...)...); strings.Contains(got.Stderr, key) {
			t.Errorf("%q: the key is printed", c.args[0])
		}
	}
	if readFile(t, filepath.Join(dir, "api.keys")) != keyFile {
		t.Error("the file was changed")
	}
}

func TestAPIKeyRefusesBrokenFiles(t *testing.T) {
	broken := strings.Replace(keyFile, "owner = erin", "owners = erin", 1)
	dir := write(t, map[string]string{"api.keys": broken})
	for _, args := range [][]string{{"new", "--owner", "x"}, {"list"}, {"revoke", "sp_aaaaaaaaaa"}} {
		expect(t, dir, "", exitFindings, "", "api.keys:16: \"owners\" is not a field name: use one of hash, owner, roles, scopes, tenant, comment, created, expires, revoked\n"+
			"sallyport: the key file is refused and was not changed\n", append([]string{"apikey", "-f", "DIR/api.keys"}, args...)...)
	}
	if readFile(t, filepath.Join(dir, "api.keys")) != broken {
		t.Error("the file was changed")
	}
}

// Concurrent runs lose nothing.
func TestAPIKeyRunsAtTheSameTime(t *testing.T) {
	dir := write(t, map[string]string{"api.keys": keyFile})
	const runs = 12
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[string]bool{}
	for range runs {
		wg.Go(func() {
			got := run(t, dir, "", "apikey", "new", "-f", "DIR/api.keys", "--owner", "erin")
			mu.Lock()
			defer mu.Unlock()
			id, _, _ := strings.Cut(got.Stdout, ".")
			made[id] = true
			if got.Code != exitOK {
				t.Errorf("got %+v", got)
			}
		})
	}
	wg.Go(func() {
		expect(t, dir, "", exitOK, "sp_aaaaaaaaaa\n", "", "apikey", "revoke", "-f", "DIR/api.keys", "sp_aaaaaaaaaa")
	})
	wg.Wait()
	keys, err := apikey.OpenFile(filepath.Join(dir, "api.keys"))
	if err != nil {
		t.Fatal(err)
	}
	for k := range keys.Keys() {
		i := k.Info()
		delete(made, i.ID)
		if i.ID == "sp_aaaaaaaaaa" && i.Revoked.IsZero() {
			t.Error("the revocation is lost")
		}
	}
	if n := len(slices.Collect(keys.Keys())); len(made) != 0 || n != 3+runs {
		t.Errorf("%d keys, lost %v", n, made)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
