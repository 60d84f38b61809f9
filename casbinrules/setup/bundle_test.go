package setup

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
)

var bundleBlocks = regexp.MustCompile("(?ms)^```yaml sallyport-policy-http\n(.*?)^```$")

const oneUser = "ann:$2a$10$KZ5kDTJu4kBdbkvCBVzwJOZGXk7XQFV7nVrv3BtRNIqEuVdvJJ9Hu\n"

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// bundles is a server of one bundle, for "Bearer abc".
type bundles struct {
	*httptest.Server
	key  ed25519.PrivateKey
	data atomic.Pointer[[]byte] // nil for none: the server is down
}

func newBundles(t *testing.T) *bundles {
	t.Helper()
	b := &bundles{key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := b.data.Load()
		switch {
		case r.Header.Get("Authorization") != "Bearer abc":
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case data == nil:
			http.Error(w, "down", http.StatusBadGateway)
		default:
			_, _ = w.Write(*data)
		}
	}))
	t.Cleanup(b.Close)
	return b
}

// put serves a policy, with other files, each a name and a text.
func (b *bundles) put(t *testing.T, r source.Revision, more ...string) {
	t.Helper()
	files := []source.File{{Name: "model.conf", Content: []byte(casbinrules.RBAC().Text())}, {Name: "policy.csv", Content: []byte("p, ann, /reports, GET\n")}}
	for i := 0; i < len(more); i += 2 {
		files = append(files, source.File{Name: more[i], Content: []byte(more[i+1])})
	}
	data, err := bundle.Encode("default", source.Entry{Revision: r}, time.Time{}, files, b.key)
	if err != nil {
		t.Fatal(err)
	}
	b.data.Store(&data)
}

func (b *bundles) publicKey(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(b.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// TestPolicyFromBundle opens the file on the page with a bundle from a server, and
// what is wrong with such a file is said at its place.
func TestPolicyFromBundle(t *testing.T) {
	text := pageText(t, page)
	if want := keyTable(reflect.TypeFor[bundleSettings]()); !strings.Contains(text, want) {
		t.Errorf("%s lacks the table\n%s", page, want)
	}
	block := bundleBlocks.FindStringSubmatch(text)
	if block == nil {
		t.Fatal("the page shows no file")
	}
	server := newBundles(t)
	server.put(t, 7)
	t.Setenv("POLICY_AUTHORIZATION", "Bearer abc")
	file := strings.Replace(block[1], "https://policies.example/app.bundle", server.URL, 1)
	dir := t.TempDir()
	write := func(name, text string) { writeFile(t, dir, name, text) }
	write("users.htpasswd", oneUser)
	write("bundle.pub", server.publicKey(t))
	write("none.pub", "")
	write("s.yaml", file)
	s, err := Open(filepath.Join(dir, "s.yaml"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Policy().Version(); v.Revision != "7" || v.Rules != 1 {
		t.Errorf("%+v", v)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for was, is := range map[string]string{
		"[bundle.pub]": "[none.pub]", server.URL: "http://policies.example/x", "set: default": "set: a b", "wait: 30s": "wait: 1ms",
		"max_size: 64MiB": "max_size: 0", "[bundle.pub]\n": "[]\n",
	} {
		write("s.yaml", strings.Replace(file, was, is, 1))
		if s, err := Open(filepath.Join(dir, "s.yaml"), quiet()); err == nil {
			t.Errorf("%s: no error, %v", is, s.Close())
		} else if !strings.Contains(err.Error(), "policy.store.http") {
			t.Errorf("%s: %v", is, err)
		}
	}
}

// TestOlderRevisions: a store that steps back is followed by an instance that may go
// back, and by no other.
func TestOlderRevisions(t *testing.T) {
	file := bundleBlocks.FindStringSubmatch(pageText(t, page))[1]
	server := newBundles(t)
	t.Setenv("POLICY_AUTHORIZATION", "Bearer abc")
	dir := t.TempDir()
	writeFile(t, dir, "users.htpasswd", oneUser)
	writeFile(t, dir, "bundle.pub", server.publicKey(t))
	file = strings.Replace(file, "https://policies.example/app.bundle", server.URL, 1)
	for option, want := range map[string]string{"false": "7", "true": "3"} {
		writeFile(t, dir, "s.yaml", strings.NewReplacer("older_revisions: false", "older_revisions: "+option, "last-good.json", "good-"+option).Replace(file))
		for _, revision := range []source.Revision{7, 3} {
			server.put(t, revision)
			s, err := Open(filepath.Join(dir, "s.yaml"), quiet())
			if err != nil {
				t.Fatal(err)
			}
			if v := s.Policy().Version(); revision == 3 && v.Revision != want {
				t.Errorf("older_revisions: %s: %s, want %s", option, v.Revision, want)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestCredentialsFromStore opens the file on the page whose users and keys are in the
// store: they follow it, and are 503 once it has been away for too long.
func TestCredentialsFromStore(t *testing.T) {
	all := bundleBlocks.FindAllStringSubmatch(pageText(t, page), -1)
	if len(all) != 2 {
		t.Fatalf("the page shows %d files", len(all))
	}
	key, id, hash := apikey.Generate()
	keys, err := apikey.Append("api.keys", nil, apikey.Info{ID: id, Hash: hash, Owner: "ci-bot"})
	if err != nil {
		t.Fatal(err)
	}
	_, otherID, otherHash := apikey.Generate()
	otherKeys, err := apikey.Append("api.keys", nil, apikey.Info{ID: otherID, Hash: otherHash, Owner: "ci-bot"})
	if err != nil {
		t.Fatal(err)
	}
	server := newBundles(t)
	server.put(t, 1, "users.htpasswd", oneUser, "api.keys", string(keys))
	t.Setenv("POLICY_AUTHORIZATION", "Bearer abc")
	dir := t.TempDir()
	writeFile(t, dir, "bundle.pub", server.publicKey(t))
	file := strings.NewReplacer("https://policies.example/app.bundle", server.URL, "max_staleness: 1h", "max_staleness: 1s\n  poll_interval: 100ms").Replace(all[1][1])
	open := func(text string) (*Setup, error) {
		writeFile(t, dir, "s.yaml", text)
		return Open(filepath.Join(dir, "s.yaml"), quiet())
	}
	s, err := open(file)
	if err != nil {
		t.Fatal(err)
	}
	app := httpauth.Authenticate(s.Guard())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	// becomes waits until the key is answered with a status.
	becomes := func(what string, want int) {
		t.Helper()
		end := time.Now().Add(authtest.TimeLimit(time.Minute))
		for {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.Header.Set("X-API-Key", key)
			w := httptest.NewRecorder()
			app.ServeHTTP(w, r)
			if w.Code == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %d, want %d", what, w.Code, want)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	becomes("at first", 200)
	server.put(t, 2, "users.htpasswd", oneUser, "api.keys", string(otherKeys))
	becomes("without the key", 401)
	server.put(t, 3, "users.htpasswd", oneUser, "api.keys", string(keys))
	becomes("with the key again", 200)
	server.data.Store(nil)
	becomes("while the store is away", 503)
	server.put(t, 4, "users.htpasswd", oneUser, "api.keys", string(keys))
	becomes("when it is back", 200)
	if err := s.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	server.data.Store(nil)
	if s, err := open(file); err != nil {
		t.Errorf("with the last good files: %v", err)
	} else if err := s.Close(); err != nil {
		t.Error(err)
	}
	for what, c := range map[string][3]string{
		"both":             {"{store_file: api.keys}", "{store_file: api.keys, file: bundle.pub}", "choose one"},
		"neither":          {"{store_file: api.keys}", "{header: X-Key}", "api_keys: file is missing, or store_file"},
		"no users":         {"basic: {store_file: users.htpasswd}", "basic: {tls_required: true}", "basic: htpasswd is missing, or store_file"},
		"not in the store": {"{store_file: api.keys}", "{store_file: other.keys}", "api_keys.store_file: "},
		"no store":         {file[strings.Index(file, "policy:"):], "", "store_file: policy.store is missing"},
	} {
		server.put(t, 5, "users.htpasswd", oneUser, "api.keys", string(keys))
		if s, err := open(strings.Replace(file, c[0], c[1], 1)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %v", what, err)
			if err == nil {
				_ = s.Close()
			}
		}
	}
}
