package digest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// curl runs curl and returns its output. Without curl the test is skipped, or fails if CI
// is set.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("curl")
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("CI is set, and there is no curl: install Debian's package curl")
	case err != nil:
		t.Skip("not run: it needs curl, and there is none on this machine")
	}
	limit := authtest.TimeLimit(3 * time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	args = append([]string{"--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", strconv.Itoa(int(limit.Seconds())), "--write-out", " %{http_code}\n"}, args...)
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %q: %v: %s", args, err, out)
	}
	return string(out)
}

// server is a service on a socket that records what it receives.
type server struct {
	url    string
	mu     sync.Mutex
	sent   []string
	before func(number int) // if set, called with the number of each request
}

func serve(t *testing.T, schemes ...core.Authenticator) *server {
	t.Helper()
	guard, err := core.NewGuard(schemes, core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		t.Fatal(err)
	}
	s := new(server)
	app := httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s by %s", r.Method, r.RequestURI, httpauth.Principal(r).Scheme()+" "+httpauth.Principal(r).ID())
	}))
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.sent = append(s.sent, r.Header.Get("Authorization"))
		if s.before != nil {
			s.before(len(s.sent))
		}
		s.mu.Unlock()
		app.ServeHTTP(w, r)
	}))
	t.Cleanup(ts.Close)
	s.url = ts.URL
	return s
}

func (s *server) onRequest(before func(number int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func (s *server) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

// last returns the newest Authorization field.
func (s *server) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent[len(s.sent)-1]
}

const curlRealm = `re"alm`

// usersFile writes and opens a password file. The password is "pass word".
func usersFile(t *testing.T, algorithms []digest.Algorithm, opts ...digest.FileOption) *digest.File {
	t.Helper()
	var text strings.Builder
	for _, user := range []string{"bob", `a"b\c`, "J\u00e4s\u00f8n"} {
		for _, a := range algorithms {
			hash, err := digest.HashA1(a, user, curlRealm, "pass word")
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "%s:%s:%s\n", user, curlRealm, hash)
		}
	}
	path := filepath.Join(t.TempDir(), "users.htdigest")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := digest.OpenFile(path, curlRealm, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func newDigest(t *testing.T, store digest.Store, opts ...digest.Option) *digest.Authenticator {
	t.Helper()
	a, err := digest.New(curlRealm, store, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCurlDigest(t *testing.T) {
	both := []digest.Algorithm{digest.SHA256, digest.MD5}
	sha := usersFile(t, both[:1])
	accepting := usersFile(t, both, digest.WithMD5())
	md5 := usersFile(t, both[1:], digest.WithMD5())
	for _, c := range []struct {
		name  string
		store digest.Store
		opts  []digest.Option
		args  []string // "URL" is the server's
		want  string
		sent  string // part of the last Authorization field
	}{
		{"SHA-256", sha, nil, []string{"-u", "bob:pass word", "URL/a?b=c%20d"}, "GET /a?b=c%20d by Digest bob 200", "algorithm=SHA-256"},
		{"the preferred of two", accepting, []digest.Option{digest.WithMoreAlgorithms(digest.MD5)}, []string{"-u", "bob:pass word", "URL/"}, "GET / by Digest bob 200", "algorithm=SHA-256"},
		{"userhash", sha, []digest.Option{digest.WithUserHash()}, []string{"-u", "bob:pass word", "URL/"}, "GET / by Digest bob 200", "userhash=true"},
		{"POST", sha, nil, []string{"-u", "bob:pass word", "--data", "x=1", "URL/"}, "POST / by Digest bob 200", "nc=00000001"},
		{"D08 quote and backslash", sha, nil, []string{"-u", `a"b\c:pass word`, "URL/"}, `GET / by Digest a"b\c 200`, `username="a\"b\\c"`},
		{"D16 UTF-8", sha, nil, []string{"-u", "J\u00e4s\u00f8n:pass word", "URL/"}, "GET / by Digest J\u00e4s\u00f8n 200", "J\u00e4s\u00f8n"},
		{"wrong password", sha, nil, []string{"-u", "bob:wrong", "--output", os.DevNull, "URL/"}, "401", "algorithm=SHA-256"},
		{"unknown user", sha, nil, []string{"-u", "eve:pass word", "--output", os.DevNull, "URL/"}, "401", "algorithm=SHA-256"},
		// curl uses the first line, which is never that of MD5.
		{"D01 a user with MD5 alone", md5, []digest.Option{digest.WithMoreAlgorithms(digest.MD5)}, []string{"-u", "bob:pass word", "--output", os.DevNull, "URL/"}, "401", "algorithm=SHA-256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, newDigest(t, c.store, c.opts...))
			args := []string{"--digest"}
			for _, arg := range c.args {
				args = append(args, strings.Replace(arg, "URL", s.url, 1))
			}
			if out := curl(t, args...); !strings.Contains(out, c.want) {
				t.Errorf("curl prints %q, want %q", out, c.want)
			}
			if !strings.Contains(s.last(), c.sent) {
				t.Errorf("curl sent %s, want %s", s.last(), c.sent)
			}
		})
	}
}

// TestCurlDigestMD5: a client that only supports MD5 reads the line of MD5. curl reads
// the first, so this test hides the others.
func TestCurlDigestMD5(t *testing.T) {
	file := usersFile(t, []digest.Algorithm{digest.SHA256, digest.MD5}, digest.WithMD5())
	s := serve(t, md5Only{newDigest(t, file, digest.WithMoreAlgorithms(digest.MD5))})
	out := curl(t, "--digest", "-u", "bob:pass word", s.url+"/")
	if !strings.Contains(out, "by Digest bob 200") || !strings.Contains(s.last(), "algorithm=MD5") {
		t.Errorf("curl prints %q, sent %s", out, s.last())
	}
}

// TestCurlGoesOn: several requests in one run, each with a new nonce.
func TestCurlGoesOn(t *testing.T) {
	s := serve(t, newDigest(t, usersFile(t, []digest.Algorithm{digest.SHA256})))
	out := curl(t, "--digest", "-u", "bob:pass word", s.url+"/1", s.url+"/2", s.url+"/3", s.url+"/1")
	if n := strings.Count(out, "by Digest bob 200"); n != 4 {
		t.Errorf("%d of 4 requests passed: %s", n, out)
	}
}

// TestCurlTakesANewNonce: the nonce expires during the run, and stale=true makes curl
// repeat the request instead of failing (D12).
func TestCurlTakesANewNonce(t *testing.T) {
	var seconds atomic.Int64
	clock := func() time.Time { return time.Unix(1_800_000_000+seconds.Load(), 0) }
	file := usersFile(t, []digest.Algorithm{digest.SHA256})
	s := serve(t, newDigest(t, file, digest.WithClock(clock), digest.WithNonceLifetime(time.Second)))
	s.onRequest(func(number int) {
		if number == 2 { // the first answer
			seconds.Add(2)
		}
	})
	out := curl(t, "--digest", "-u", "bob:pass word", s.url+"/")
	if !strings.Contains(out, "by Digest bob 200") || s.requests() != 3 {
		t.Errorf("curl prints %q after %d requests, want 3", out, s.requests())
	}
}

// TestCurlAnyauth: among several schemes curl chooses the safest it supports, in any
// order.
func TestCurlAnyauth(t *testing.T) {
	file := usersFile(t, []digest.Algorithm{digest.SHA256})
	passwords, err := basic.New(curlRealm, basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if password != "pass word" {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := bearer.New(curlRealm, anyToken{})
	if err != nil {
		t.Fatal(err)
	}
	schemes := []core.Authenticator{passwords, newDigest(t, file), tokens}
	for range 2 {
		s := serve(t, schemes...)
		for _, c := range []struct {
			name string
			args []string
			want string
		}{
			{"a user", []string{"--anyauth", "-u", "bob:pass word"}, "GET / by Digest bob 200"},
			{"a user, Basic asked for", []string{"--basic", "-u", "bob:pass word"}, "GET / by Basic bob 200"},
			{"a user, Digest asked for", []string{"--digest", "-u", "bob:pass word"}, "GET / by Digest bob 200"},
			{"a token", []string{"--oauth2-bearer", "t"}, "GET / by Bearer t 200"},
			{"a wrong password", []string{"--anyauth", "-u", "bob:wrong", "--output", os.DevNull}, "401"},
			{"nothing", []string{"--anyauth", "--output", os.DevNull}, "401"},
		} {
			if out := curl(t, append(c.args, s.url+"/")...); !strings.Contains(out, c.want) {
				t.Errorf("%s: curl prints %q, want %q", c.name, out, c.want)
			}
		}
		slices.Reverse(schemes)
	}
}
