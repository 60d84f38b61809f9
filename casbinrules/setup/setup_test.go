package setup

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

const minimal = `
realm: reports
bearer:
  issuer: https://idp.example
  audience: reports
  jwks: jwks.json
policy:
  model: model.conf
  files: policy.csv
`

// issuerKey signs the tokens of tests; its public part is in jwks.json.
var issuerKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// apiKey is in api.keys.
var apiKey, apiKeyID, apiKeyHash = apikey.Generate()

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// folder is a new folder with the files of testdata and the keys.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/files")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "old.key"), strings.Repeat("o", 32)+"\n")
	write(t, filepath.Join(dir, "names.key"), strings.Repeat("n", 32)+"\n")
	write(t, filepath.Join(dir, "decisions.key"), strings.Repeat("d", 32)+"\n")
	write(t, filepath.Join(dir, "sample.key"), strings.Repeat("s", 32)+"\n")
	keys, err := apikey.Append("api.keys", nil, apikey.Info{ID: apiKeyID, Hash: apiKeyHash, Owner: "victor"})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "api.keys"), string(keys))
	public := issuerKey.Public().(ed25519.PublicKey)
	write(t, filepath.Join(dir, "jwks.json"), `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"`+encode(public)+`"}]}`)
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// config is a file sallyport.yaml with text in a new folder.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(folder(t), "sallyport.yaml")
	write(t, path, text)
	return path
}

// quiet has nothing logged.
func quiet() Option { return WithLogger(slog.New(slog.DiscardHandler)) }

// open opens a file with text, which must be good.
func open(t *testing.T, text string, opts ...Option) *Setup {
	t.Helper()
	return openPath(t, configFile(t, text), opts...)
}

func openPath(t *testing.T, path string, opts ...Option) *Setup {
	t.Helper()
	s, err := Open(path, append([]Option{quiet()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// token is a signed token of the issuer for a user, with claims beside the usual
// ones or in their place.
func token(t *testing.T, user string, claims map[string]any) string {
	t.Helper()
	all := map[string]any{
		"iss": "https://idp.example", "aud": "reports", "sub": user,
		"exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(all, claims)
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signed := encode([]byte(`{"alg":"EdDSA","kid":"k1"}`)) + "." + encode(body)
	return signed + "." + encode(ed25519.Sign(issuerKey, []byte(signed)))
}

// ask sends a request through the gates of a guard.
func ask(t *testing.T, g *core.Guard, method, path string, fields ...string) *http.Response {
	t.Helper()
	gate := httpauth.Authorize(g)
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	gate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
	return w.Result()
}

// wants fails unless the request gets the status.
func wants(t *testing.T, g *core.Guard, status int, method, path string, fields ...string) *http.Response {
	t.Helper()
	got := ask(t, g, method, path, fields...)
	if got.StatusCode != status {
		t.Errorf("%s %s with %q: %d, want %d", method, path, fields, got.StatusCode, status)
	}
	return got
}

func bearerOf(token string) []string { return []string{"Authorization", "Bearer " + token} }

// TestMinimal: ten lines are a guard with both gates.
func TestMinimal(t *testing.T) {
	t.Parallel()
	g := open(t, minimal).Guard()
	got := wants(t, g, 401, "GET", "/reports")
	if c := got.Header.Get("WWW-Authenticate"); c != `Bearer realm="reports"` {
		t.Errorf("challenge %q", c)
	}
	wants(t, g, 200, "GET", "/reports", bearerOf(token(t, "erin", nil))...)
	wants(t, g, 403, "GET", "/reports", bearerOf(token(t, "mallory", nil))...)
	wants(t, g, 401, "GET", "/reports", bearerOf(token(t, "erin", map[string]any{"aud": "other"}))...)
	wants(t, g, 401, "GET", "/reports", bearerOf(token(t, "erin", map[string]any{"iss": "https://idp.example/"}))...)
}

// TestOrder: schemes are challenged for in the order of the file.
func TestOrder(t *testing.T) {
	t.Parallel()
	const basic = "basic: {htpasswd: users.htpasswd}\n"
	for _, c := range []struct{ text, first, second string }{
		{minimal + basic, "Bearer", "Basic"},
		{basic + minimal, "Basic", "Bearer"},
	} {
		got := wants(t, open(t, c.text).Guard(), 401, "GET", "/reports").Header.Values("WWW-Authenticate")
		all := strings.Join(got, ", ")
		if i, j := strings.Index(all, c.first), strings.Index(all, c.second); i < 0 || i > j {
			t.Errorf("challenges %q, want %s in front of %s", got, c.first, c.second)
		}
	}
}

// TestReload: an edit of a policy and of keys is in force when Reload returns.
func TestReload(t *testing.T) {
	t.Parallel()
	for _, watching := range []string{"", "watch: false\n"} {
		path := configFile(t, minimal+watching)
		s := openPath(t, path)
		erin := bearerOf(token(t, "erin", nil))
		wants(t, s.Guard(), 200, "GET", "/reports", erin...)
		write(t, filepath.Join(filepath.Dir(path), "policy.csv"), "p, editor, /reports, GET, allow\ng, victor, editor\n")
		if err := s.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		wants(t, s.Guard(), 403, "GET", "/reports", erin...)
		write(t, filepath.Join(filepath.Dir(path), "jwks.json"), "{}")
		if err := s.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "jwks.json") {
			t.Errorf("a broken set of keys: %v, want an error with its name", err)
		}
		wants(t, s.Guard(), 403, "GET", "/reports", erin...)
	}
}

// TestReloadOfFilesReadOnce: an edit of a file that a reload does not read is not passed
// over in silence.
func TestReloadOfFilesReadOnce(t *testing.T) {
	t.Parallel()
	for file, keys := range map[string]string{
		"ca.pem":        "client_certificates: {identity: dns_name, ca: ca.pem}\n",
		"pages.css":     "answers: {style: pages.css}\n",
		"names.key":     "log: {pseudonym_key: {file: names.key}}\n",
		"decisions.key": "decision_log: {path: decisions.jsonl, chain_key: {file: decisions.key}}\n",
	} {
		path := configFile(t, minimal+keys)
		s := openPath(t, path)
		file = filepath.Join(filepath.Dir(path), file)
		content := pageText(t, file)
		reload := func(changed bool) {
			t.Helper()
			err := s.Reload(t.Context())
			if errors.Is(err, ErrReadOnce) != changed || !changed && err != nil || changed && !strings.Contains(err.Error(), file) {
				t.Errorf("%s changed %v: %v", file, changed, err)
			}
		}
		reload(false)
		write(t, file, content+"\n")
		write(t, filepath.Join(filepath.Dir(path), "policy.csv"), "p, victor, /reports, GET, allow\n")
		reload(true)
		wants(t, s.Guard(), 403, "GET", "/reports", bearerOf(token(t, "erin", nil))...) // other edits take effect
		write(t, file, content)
		reload(false)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		reload(true)
	}
}

// TestReadOnceAsDocumented: files whose keys say that they are read once are compared, and
// no others.
func TestReadOnceAsDocumented(t *testing.T) {
	t.Parallel()
	seen, count := map[reflect.Type]bool{}, 0
	var check func(of reflect.Type)
	check = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || seen[of] {
			return
		}
		seen[of] = true
		for _, f := range reflect.VisibleFields(of) {
			says, is := strings.HasSuffix(f.Tag.Get("doc"), "; read once"), f.Tag.Get("once") == "true"
			if is {
				count++
			}
			if says != is {
				t.Errorf("%v.%s: documented as read once: %v, compared: %v", of, f.Name, says, is)
			}
			check(f.Type)
		}
	}
	check(reflect.TypeFor[config]())
	check(reflect.TypeFor[bundleSettings]())
	if count < 3 {
		t.Errorf("%d files are read once", count)
	}
}

// TestPolicyErrors keep their type.
func TestPolicyErrors(t *testing.T) {
	t.Parallel()
	path := configFile(t, minimal)
	write(t, filepath.Join(filepath.Dir(path), "policy.csv"), "p, editor\n")
	_, err := Open(path, quiet())
	if _, ok := errors.AsType[*casbinrules.FindingsError](err); !ok {
		t.Errorf("%v is no FindingsError", err)
	}
	var at *Error
	if !errors.As(err, &at) || at.Key != "policy" || at.Line != 7 {
		t.Errorf("%v is not at the policy", err)
	}
}

// TestFirstPolicyIsLogged: the log says which revision a service starts with, since
// the lines of requests name it.
func TestFirstPolicyIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := open(t, minimal+"watch: false\n", WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	if want := `msg="policy loaded" outcome=loaded revision=` + s.Policy().Version().Revision; !strings.Contains(log.String(), want) {
		t.Errorf("no %s in %s", want, log.String())
	}
}

// These are the kinds whose second close is an error, as with clients of Redis.
func init() {
	RegisterObserver("once_closed", func(*struct{}) (core.Observer, func() error, error) {
		closed := false
		return core.ObserverFunc(func(context.Context, core.Event) {}), func() error {
			if closed {
				return errors.New("it is closed already")
			}
			closed = true
			return nil
		}, nil
	})
	RegisterObserver("unclosable", func(*struct{}) (core.Observer, func() error, error) {
		return core.ObserverFunc(func(context.Context, core.Event) {}), func() error { return errors.New("the disk is full") }, nil
	})
}

// TestCloseAgain: each part is closed once, and a later call returns the same.
func TestCloseAgain(t *testing.T) {
	t.Parallel()
	s, err := Open(configFile(t, minimal+"observers: [{once_closed: {}}]\n"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	failing, err := Open(configFile(t, minimal+"observers: [{unclosable: {}}]\n"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := failing.Close(); err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("error %v", err)
		}
	}
}

// slow is a loader whose second call waits.
type slow struct {
	calls   int
	entered chan struct{}
	goOn    chan struct{}
	loaded  string
}

func (l *slow) Load(_ string, data []byte) error {
	if l.calls++; l.calls == 2 {
		close(l.entered)
		<-l.goOn
	}
	l.loaded = string(data)
	return nil
}

// TestReloadsAtOnce: without a watch, of two reloads the one that reads last counts.
func TestReloadsAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "first")
	l := &slow{entered: make(chan struct{}), goOn: make(chan struct{})}
	a := &assembly{config: &config{}, made: &Setup{}}
	if err := a.load(path, l); err != nil {
		t.Fatal(err)
	}
	reload := func() chan error {
		done := make(chan error, 1)
		go func() { done <- a.made.Reload(t.Context()) }()
		return done
	}
	older := reload()
	<-l.entered
	write(t, path, "second")
	newer := reload()
	time.Sleep(50 * time.Millisecond) // for a newer one that does not wait
	close(l.goOn)
	if err := errors.Join(<-older, <-newer); err != nil || l.loaded != "second" {
		t.Errorf("%q is in force, %v", l.loaded, err)
	}
}
