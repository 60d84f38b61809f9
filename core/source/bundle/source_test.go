package bundle_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// server serves a bundle in memory, as a transport: without a network, in the test's
// time.
type server struct {
	mu       sync.Mutex
	data     []byte
	etag     string // "" for none
	waits    bool   // it honours Prefer: wait
	hasty    bool   // it says so and answers at once
	down     error
	changed  chan struct{}
	statuses []int
	header   http.Header
}

func newServer(data []byte) *server {
	return &server{data: data, etag: `"1"`, changed: make(chan struct{}), header: http.Header{}}
}

func (s *server) put(data []byte, etag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data, s.etag = data, etag
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var wait time.Duration
	if text, asked := strings.CutPrefix(r.Header.Get("Prefer"), "wait="); asked {
		wait, _ = time.ParseDuration(text + "s")
	}
	end := time.After(wait)
	for s.waits && !s.hasty && s.etag != "" && r.Header.Get("If-None-Match") == s.etag && wait > 0 {
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-end:
			wait = 0
		case <-r.Context().Done():
		}
		s.mu.Lock()
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
	}
	if s.down != nil {
		return nil, s.down
	}
	header := s.header.Clone()
	if s.etag != "" {
		header.Set("ETag", s.etag)
	}
	if s.waits && r.Header.Get("Prefer") != "" {
		header.Set("Preference-Applied", "wait=30")
	}
	status, body := http.StatusOK, string(s.data)
	if s.etag != "" && r.Header.Get("If-None-Match") == s.etag {
		status, body = http.StatusNotModified, ""
	}
	s.statuses = append(s.statuses, status)
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: r}, nil
}

// answers returns the statuses since the last call.
func (s *server) answers() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprint(s.statuses)
	s.statuses = nil
	return text
}

const address = "https://policies.example/policy.bundle"

// TestConditionalRequests: a bundle is read once, also an invalid one, and content is
// available at every call.
func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(encoded(t, 1, "one"))
		from := newSource(t, address, bundle.WithTransport(s))
		fetch := func(known source.State, want string) source.Fetched {
			t.Helper()
			got, err := from.Fetch(t.Context(), known)
			if err != nil {
				t.Fatal(err)
			}
			if said := s.answers(); said != want {
				t.Errorf("answers %s, want %s", said, want)
			}
			if (got.Content == nil) != (got.State == known) {
				t.Errorf("known %v: %+v", known, got)
			}
			return got
		}
		one := fetch(source.State{}, "[200]").State
		fetch(source.State{}, "[304]") // it was not accepted yet
		fetch(one, "[304]")
		fetch(one, "[304]")
		fetch(source.State{}, "[200]")
		fetch(one, "[304]")
		s.put(encoded(t, 2, "two"), `"2"`)
		two := fetch(one, "[200]").State
		fetch(two, "[304]")
		time.Sleep(2 * time.Hour)
		s.put(encoded(t, 3, "three"), `"2"`) // a wrong ETag
		fetch(two, "[200]")
		s.put(encoded(t, 4, "four", key(2)), `"bad"`)
		for _, want := range []string{"[200]", "[304]", "[304]"} {
			if _, err := from.Fetch(t.Context(), two); !errors.Is(err, bundle.ErrUntrusted) {
				t.Errorf("signed by another key: %v", err)
			}
			if said := s.answers(); said != want {
				t.Errorf("a bad bundle: answers %s, want %s", said, want)
			}
		}
		if b, err := from.Read(t.Context()); b != nil || !errors.Is(err, bundle.ErrUntrusted) {
			t.Errorf("read by hand: %+v, %v", b, err)
		}
		s.answers()
		s.put(encoded(t, 5, "five"), `"`+strings.Repeat("x", 1023)+`"`)
		five := fetch(two, "[200]").State
		fetch(five, "[200]") // its ETag is too long
		s.put(encoded(t, 5, "five"), "")
		five = fetch(two, "[200]").State
		fetch(five, "[200]")
	})
}

// TestRefusedAnswers: an invalid response is an error, and no part of it is used.
func TestRefusedAnswers(t *testing.T) {
	t.Parallel()
	good := encoded(t, 1, "one")
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(good) }))
	t.Cleanup(elsewhere.Close)
	endless := func(w http.ResponseWriter) {
		for {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	}
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere.URL+"/?SECRET", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/cached":
			w.Header().Set("Age", r.URL.Query().Get("age"))
			_, _ = w.Write(good)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/long":
			w.Header().Set("Content-Length", "10000000")
			endless(w)
		case "/endless":
			endless(w)
		case "/part":
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(good)
		case "/half": // which net/http ends by closing the connection
			w.Header().Set("Content-Length", strconv.Itoa(len(good)))
			_, _ = w.Write(good[:len(good)/2])
		case "/half-without-length":
			w.(http.Flusher).Flush()
			_, _ = w.Write(good[:len(good)/2])
		case "/page":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>Sign in to the network")
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(good)
			_ = z.Close()
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 10_000_000))
			_ = z.Close()
		case "/unmodified":
			w.WriteHeader(http.StatusNotModified)
		case "/staging":
			data, err := bundle.Encode("staging", source.Entry{Revision: 1}, time.Time{}, sourcetest.Files("x"), key(1))
			if err == nil {
				_, _ = w.Write(data)
			}
		case "/good":
			if r.Header.Get("Authorization") != "Bearer SECRET" || r.Header.Get("Cache-Control") != "no-cache" || r.Header["If-None-Match"] != nil {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write(good)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(here.Close)
	for path, want := range map[string]string{
		"/near": "", "/good": "", "/away": "redirect to another host", "/loop": "more than 3 redirects", "/cached?age=61": "a cache answered", "/cached?age=99999999999999999999": "a cache answered", "/cached?age=60": "", "/cached?age=x": "", "/gone": "answer 410",
		"/half": "unexpected EOF", "/half-without-length": "no trusted key has signed", "/page": "this is not a bundle", "/packed": "", "/bomb": "longer than 100000 bytes",
		"/long": "longer than 100000 bytes", "/endless": "longer than 100000 bytes", "/part": "answer 206", "/unmodified": "answer 304",
		"/staging": `set "staging", not`, "/nothing": "answer 404",
	} {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		s := newSource(t, here.URL+path+sep+"q=SECRET", bundle.WithMaxSize(100_000), bundle.WithAuthorization("Bearer SECRET"))
		_, err := s.Fetch(t.Context(), source.State{})
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET")):
			t.Errorf("%s: %v", path, err)
		case (path == "/nothing" || path == "/gone") && !errors.Is(err, source.ErrEmpty):
			t.Errorf("%s: %v, want ErrEmpty", path, err)
		}
	}
	staging := newSource(t, here.URL+"/staging", bundle.WithName("staging"))
	if got, err := staging.Fetch(t.Context(), source.State{}); err != nil || got.State.Revision != 1 {
		t.Errorf("a set by its name: %+v, %v", got, err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	trusted := public(key(1))
	for _, address := range []string{"http://policies.example/x", "ftp://policies.example/x", "https://", "policy.bundle", "https://u:SECRET@policies.example/", "https://policies.example/#x", "http://%zz"} {
		if _, err := bundle.New(address, trusted); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]/x", "https://policies.example/x?y"} {
		if _, err := bundle.New(address, trusted); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := bundle.New("http://policies.example/x", trusted, bundle.WithPlainHTTP(), bundle.WithWait(time.Second), bundle.WithWait(10*time.Minute)); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"no key": second(bundle.New(address, nil)), "short key": second(bundle.New(address, append(public(key(2)), trusted[0][:9]))),
		"no size": second(bundle.New(address, trusted, bundle.WithMaxSize(0))), "wait": second(bundle.New(address, trusted, bundle.WithWait(0))),
		"size": second(bundle.New(address, trusted, bundle.WithMaxSize(256<<20+1))), "part of a second": second(bundle.New(address, trusted, bundle.WithWait(1500*time.Millisecond))),
		"long wait": second(bundle.New(address, trusted, bundle.WithWait(10*time.Minute+time.Second))),
		"transport": second(bundle.New(address, trusted, bundle.WithTransport(nil))), "set": second(bundle.New(address, trusted, bundle.WithName(""))),
		"authorization": second(bundle.New(address, trusted, bundle.WithAuthorization(""))), "line break": second(bundle.New(address, trusted, bundle.WithAuthorization("Bearer SECRET\n"))), "nil": second(bundle.New(address, trusted, nil)),
		"handler": second(bundle.NewHandler("")),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// followed follows a source with a long poll, and sends texts as they are applied.
func followed(t *testing.T, s source.Source, opts ...source.Option) (*source.Follower, chan string) {
	t.Helper()
	applied := make(chan string, 100)
	f, err := source.Follow(t.Context(), s, func(_ context.Context, c *source.Content) error {
		text, _ := c.File("policy.csv")
		applied <- string(text)
		return nil
	}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, applied
}

// TestLongPoll: if the server waits a bundle is applied at once; if it does not, or
// claims to and does not, at the next poll. In both cases the number of requests is
// bounded.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		waits, hasty    bool
		soon            time.Duration // until a new bundle is in force
		least, most     int           // requests in ten minutes without one, polls every 5 minutes
		listens, closes bool
	}{
		{"a server that waits", true, false, 0, 20, 26, true, false},
		{"a server of static files", false, false, 6 * time.Minute, 1, 5, false, false},
		{"a server that does not wait as it says", true, true, 6 * time.Second, 100, 130, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(encoded(t, 1, "one"))
				s.waits, s.hasty = c.waits, c.hasty
				f, applied := followed(t, newSource(t, address, bundle.WithTransport(s)), source.WithPollInterval(5*time.Minute))
				time.Sleep(time.Second)
				synctest.Wait()
				if st := f.Status(); st.Listening != c.listens {
					t.Errorf("listening: %v", st.Listening)
				}
				s.answers()
				time.Sleep(10 * time.Minute)
				if n := len(strings.Fields(s.answers())); n < c.least || n > c.most {
					t.Errorf("%d requests in ten minutes, want from %d to %d", n, c.least, c.most)
				}
				s.put(encoded(t, 2, "two"), `"2"`)
				time.Sleep(c.soon)
				synctest.Wait()
				if st := f.Status(); st.Revision != 2 || <-applied != "one" || <-applied != "two" {
					t.Errorf("in force: %+v", st)
				}
				// Even with a new bundle at each request the server is not flooded.
				for r := source.Revision(3); r < 100; r++ {
					s.put(encoded(t, r, fmt.Sprint(r)), fmt.Sprintf(`"%d"`, r))
					time.Sleep(10 * time.Millisecond)
				}
				if n := len(strings.Fields(s.answers())); n > 25 {
					t.Errorf("%d requests in a second", n)
				}
				_ = f.Close()
			})
		})
	}
}

// TestServerStopsWaiting: a server that is replaced by one of static files, or goes away,
// is noticed, and long polls resume when it is back.
func TestServerStopsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(encoded(t, 1, "one"))
		s.waits = true
		f, _ := followed(t, newSource(t, address, bundle.WithTransport(s)), source.WithPollInterval(5*time.Minute))
		time.Sleep(time.Second)
		set := func(down error) {
			s.mu.Lock()
			s.down = down
			s.mu.Unlock()
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		set(errors.New("connection refused"))
		if st := f.Status(); st.Listening || st.ListenErr == nil {
			t.Errorf("down: %+v", st)
		}
		set(nil)
		s.put(encoded(t, 2, "two"), `"2"`)
		synctest.Wait()
		if st := f.Status(); !st.Listening || st.Revision != 2 || st.Listens != 2 {
			t.Errorf("after recovery: %+v", st)
		}
		s.mu.Lock()
		s.waits = false
		s.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if st := f.Status(); st.Listening || st.ListenErr == nil {
			t.Errorf("no longer waits: %+v", st)
		}
		_ = f.Close()
	})
}

// TestOlderBundle: an older bundle is refused after a newer one, unless that is allowed.
func TestOlderBundle(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(encoded(t, 2, "two"))
			var opts []source.Option
			if allowed {
				opts = append(opts, source.WithOlderRevisions())
			}
			f, _ := followed(t, newSource(t, address, bundle.WithTransport(s)), opts...)
			s.put(encoded(t, 1, "one"), `"1b"`)
			time.Sleep(time.Minute)
			synctest.Wait()
			st := f.Status()
			if allowed && (st.Revision != 1 || st.Latest != 1 || st.Err != nil) {
				t.Errorf("allowed: %+v", st)
			}
			if !allowed && (st.Revision != 2 || !errors.Is(st.Err, source.ErrStepBack)) {
				t.Errorf("not allowed: %+v", st)
			}
			if n := strings.Count(s.answers(), "200"); n != 2 {
				t.Errorf("it was read %d times", n-1)
			}
			_ = f.Close()
		})
	}
}

// hiding wraps a source and hides its optional methods; showing has Unwrap.
type (
	hiding  struct{ source.Source }
	showing struct{ source.Source }
)

func (s showing) Unwrap() source.Source { return s.Source }

// TestLastGoodFile: an instance verifies a saved bundle again when it starts with it,
// also through a wrapper, and a wrapper that hides how is refused.
func TestLastGoodFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "good.json")
	s := newServer(encoded(t, 3, "three"))
	src := newSource(t, address, bundle.WithTransport(s))
	start := func(of source.Source) (source.Status, error) {
		f, err := source.Follow(t.Context(), of, func(context.Context, *source.Content) error { return nil },
			source.WithLastGoodFile(path), source.WithStartTimeout(authtest.TimeLimit(100*time.Millisecond)))
		if err != nil {
			return source.Status{}, err
		}
		defer func() { _ = f.Close() }()
		return f.Status(), nil
	}
	if _, err := start(hiding{src}); err == nil || !strings.Contains(err.Error(), "Unwrap") {
		t.Errorf("hidden: %v", err)
	}
	if st, err := start(src); err != nil || st.Revision != 3 || st.FileErr != nil {
		t.Fatalf("%+v, %v", st, err)
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.down = errors.New("connection refused")
	for _, of := range []source.Source{src, showing{src}, showing{showing{src}}} {
		if st, err := start(of); err != nil || st.Revision != 3 {
			t.Errorf("%T: %+v, %v", of, st, err)
		}
	}
	if _, err := start(hiding{src}); err == nil {
		t.Error("started with an unverified file")
	}
	for what, change := range map[string]func(c *source.Content){
		"other rules":      func(c *source.Content) { c.Files[1].Content = []byte("p, mallory, /, GET\n") },
		"another revision": func(c *source.Content) { c.Revision = 9 },
		"files cut elsewhere": func(c *source.Content) {
			first, second := &c.Files[0], &c.Files[1]
			first.Content, second.Content = append(slices.Clone(first.Content), second.Content[0]), second.Content[1:]
		},
		"another set": func(c *source.Content) {
			data, err := bundle.Encode("staging", source.Entry{Revision: c.Revision}, time.Time{}, c.Files, key(1))
			if err != nil {
				t.Fatal(err)
			}
			b, err := bundle.Decode(data, public(key(1))...)
			if err != nil {
				t.Fatal(err)
			}
			c.Proof = b.Content.Proof
		},
		"without proof":   func(c *source.Content) { c.Proof = nil },
		"another's proof": func(c *source.Content) { c.Proof = encoded(t, 3, "three", key(2)) },
	} {
		var file struct {
			Confirmed time.Time       `json:"confirmed"`
			Hash      string          `json:"sha256"`
			Content   *source.Content `json:"content"`
		}
		if err := json.Unmarshal(kept, &file); err != nil {
			t.Fatal(err)
		}
		change(file.Content)
		file.Hash = file.Content.Hash()
		text, err := json.Marshal(file)
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if st, err := start(src); err == nil {
			t.Errorf("%s: started with %+v", what, st)
		}
	}
	if err := os.WriteFile(path, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	rotated, err := bundle.New(address, public(key(2)), bundle.WithTransport(s))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := start(rotated); !errors.Is(err, bundle.ErrUntrusted) {
		t.Errorf("a key that is no longer trusted: %v", err)
	}
}

// TestHandler: a Handler's answers.
func TestHandler(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.bundle")
	h := newHandler(t, path)
	ask := func(method string, pairs ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
		for i := 0; i < len(pairs); i += 2 {
			r.Header.Set(pairs[i], pairs[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := ask("GET"); w.Code != 404 {
		t.Errorf("without a file: %d", w.Code)
	}
	f := newFile(t, path)
	publish(t, f, 0, "one")
	h = newHandler(t, path)
	w := ask("GET")
	etag := w.Header().Get("ETag")
	if w.Code != 200 || etag == "" || w.Header().Get("Cache-Control") != "no-cache" || w.Header().Get("Content-Type") != "application/octet-stream" || w.Header().Get("Preference-Applied") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask("GET", "If-None-Match", `"x", W/`+etag, "Prefer", `respond-async, wait="0"; x=y`); w.Code != 304 || w.Header().Get("Preference-Applied") != "wait=0" || w.Header().Get("Vary") != "Prefer" {
		t.Errorf("known: %d %v", w.Code, w.Header())
	}
	if w := ask("GET", "If-None-Match", `"x"`, "Prefer", "wait=30"); w.Code != 200 || w.Header().Get("Preference-Applied") != "wait=30" {
		t.Errorf("another one is known: %d %v", w.Code, w.Header())
	}
	if w := ask("GET", "If-None-Match", etag, "Prefer", "wait=soon"); w.Code != 304 || w.Header().Get("Preference-Applied") != "" {
		t.Errorf("no number: %d %v", w.Code, w.Header())
	}
	if w := ask("POST"); w.Code != 405 || w.Header().Get("Allow") == "" || w.Body.String() != "method not allowed\n" {
		t.Errorf("POST: %d %q", w.Code, w.Body)
	}
	if w := ask("HEAD"); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d", w.Code)
	}
	answered := make(chan int)
	go func() { answered <- ask("GET", "If-None-Match", etag, "Prefer", "wait=60").Code }()
	publish(t, f, 1, "two")
	if code := <-answered; code != 200 {
		t.Errorf("waited for: %d", code)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if w := ask("GET", "If-None-Match", "", "Prefer", "wait=60"); w.Code != 404 || w.Result().Header.Get("ETag") != "" {
		t.Errorf("without the file again: %d %v", w.Code, w.Header())
	}
	h = newHandler(t, filepath.Dir(path)) // a folder
	if w := ask("GET"); w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Body.String() != "the bundle cannot be read\n" {
		t.Errorf("a folder: %d %v %q", w.Code, w.Header(), w.Body)
	}
}

// TestCloseClosesConnections, which would otherwise stay for a minute.
func TestCloseClosesConnections(t *testing.T) {
	data := encoded(t, 1, "p, ann, /a, GET\n")
	closed := make(chan struct{}, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	s, err := bundle.New(server.URL, public(key(1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-closed:
	case <-time.After(authtest.TimeLimit(10 * time.Second)):
		t.Error("the connection is still open")
	}
}
