package openid_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/openid"
)

// faulty is a transport to a provider on which one of its addresses can fail.
type faulty struct {
	http.RoundTripper
	path  string
	fault atomic.Pointer[func(*http.Request) (*http.Response, error)]
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if fault := f.fault.Load(); fault != nil && r.URL.Path == f.path {
		return (*fault)(r)
	}
	return f.RoundTripper.RoundTrip(r)
}

// says is a response with header fields in pairs.
func says(status int, body io.Reader, fields ...string) func(*http.Request) (*http.Response, error) {
	text, _ := io.ReadAll(io.LimitReader(body, 4<<20))
	return func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{Status: strconv.Itoa(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
			Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)), Request: r}
		for i := 0; i < len(fields); i += 2 {
			resp.Header.Set(fields[i], fields[i+1])
		}
		return resp, nil
	}
}

// body is a response with the given body.
func body(of func(ctx context.Context) io.Reader) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := says(http.StatusOK, strings.NewReader(""), "Content-Type", "application/json")(r)
		resp.Body, resp.ContentLength = io.NopCloser(of(r.Context())), -1
		return resp, err
	}
}

type readFunc func(b []byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

// faultsOfProviders are the faults that an address of a provider may have.
func faultsOfProviders() map[string]func(*http.Request) (*http.Response, error) {
	const page = "<!doctype html><title>Down for maintenance</title>"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 4<<20))
	_ = z.Close()
	all := map[string]func(*http.Request) (*http.Response, error){
		"hangs": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"is refused": func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") },
		"hangs in the body": body(func(ctx context.Context) io.Reader {
			return io.MultiReader(strings.NewReader(`{"issuer":`), readFunc(func([]byte) (int, error) {
				<-ctx.Done()
				return 0, ctx.Err()
			}))
		}),
		"trickles": body(func(ctx context.Context) io.Reader {
			return readFunc(func(b []byte) (int, error) {
				select {
				case <-ctx.Done():
					return 0, ctx.Err()
				case <-time.After(time.Millisecond):
				}
				return copy(b, " "), nil
			})
		}),
		"never ends": body(func(context.Context) io.Reader {
			return io.MultiReader(strings.NewReader(`{"a":"`), readFunc(func(b []byte) (int, error) {
				for i := range b {
					b[i] = 'x'
				}
				return len(b), nil
			}))
		}),
		"breaks off": body(func(context.Context) io.Reader {
			return io.MultiReader(strings.NewReader(`{"issuer":"`), readFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }))
		}),
		"is zipped":         says(200, &zipped, "Content-Type", "application/json", "Content-Encoding", "gzip"),
		"is 429":            says(429, strings.NewReader("slow down"), "Retry-After", "7"),
		"is 503 for a day":  says(503, strings.NewReader(page), "Retry-After", "86400"),
		"has an odd retry":  says(503, strings.NewReader(page), "Retry-After", "-1, soon"),
		"redirects":         says(302, strings.NewReader(""), "Location", "https://elsewhere.example/"),
		"redirects nowhere": says(307, strings.NewReader(""), "Location", "http://%zz"),
	}
	for _, text := range []string{"", page, "null", "[]", "{}", `"text"`, `{"error":"server_error"}`, `{"keys":null}`, `{"keys":[{}]}`,
		`{"id_token":1}`, `{"id_token":"","access_token":"y","token_type":"Bearer"}`, `{"issuer":"https://evil.example"}`, "\xff\xfe{}"} {
		for _, media := range []string{"", "application/json", "text/html; charset=utf-8"} {
			all[fmt.Sprintf("says %q as %q", text, media)] = says(200, strings.NewReader(text), "Content-Type", media)
		}
	}
	for _, status := range []int{101, 204, 206, 304, 400, 401, 403, 404, 408, 410, 418, 500, 502, 504, 599} {
		all[fmt.Sprint("is ", status)] = says(status, strings.NewReader(page), "Content-Type", "text/html")
	}
	for _, code := range []string{"invalid_client", "unauthorized_client", "invalid_request", "temporarily_unavailable", strings.Repeat("x", 100000)} {
		all[fmt.Sprintf("is error %.30s", code)] = says(400, strings.NewReader(`{"error":"`+code+`"}`), "Content-Type", "application/json")
	}
	return all
}

// TestFaultsOfProviders: whatever fault an address of a provider has, before its metadata
// is known, afterwards, or while its keys change, it is never blamed on the user: a
// sign-in continues, or gets 503 with Retry-After, within the time limit for the
// provider, and people who are signed in stay so.
func TestFaultsOfProviders(t *testing.T) {
	t.Parallel()
	faults := faultsOfProviders()
	names := slices.Sorted(maps.Keys(faults))
	for _, path := range []string{"/.well-known/openid-configuration", "/keys", "/token"} {
		for _, moment := range []string{"cold", "warm", "new keys"} {
			t.Run(path+" "+moment, func(t *testing.T) {
				t.Parallel()
				for i, name := range names {
					if testing.Short() && i%4 != len(moment)%4 { // a few of them at each moment
						continue
					}
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						fails(t, path, moment, faults[name])
					})
				}
			})
		}
	}
}

// TestTransportPanics: metadata is fetched in the background, where a panic would end the
// program.
func TestTransportPanics(t *testing.T) {
	t.Parallel()
	fails(t, "/.well-known/openid-configuration", "cold", func(*http.Request) (*http.Response, error) { panic("in a transport") })
}

// fails injects one fault at one moment.
func fails(t *testing.T, path, moment string, fault func(*http.Request) (*http.Response, error)) {
	p := newIDP(t)
	way := &faulty{RoundTripper: transport, path: path}
	limit := authtest.TimeLimit(300 * time.Millisecond)
	if moment == "cold" {
		way.fault.Store(&fault)
	}
	a := newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p, openid.WithTransport(way), openid.WithTimeout(limit))}})
	visitor, b := a.browser(), a.browser()
	if moment != "cold" {
		visitor.signIn("/account")
	}
	if moment == "new keys" {
		p.public, p.signer, _ = ed25519.GenerateKey(rand.Reader)
		p.kid = "2"
	}
	in := func(what, want string, do func() answer) (ok bool) {
		t.Helper()
		began := time.Now()
		got := do()
		if took := time.Since(began); took > 4*limit+authtest.TimeLimit(2*time.Second) {
			t.Errorf("%s takes %v", what, took)
		}
		after, _ := strconv.Atoi(got.Header.Get("Retry-After"))
		switch {
		case (got.StatusCode == http.StatusSeeOther || got.StatusCode == http.StatusOK) && strings.Contains(got.location, want):
			return true
		case got.StatusCode != http.StatusServiceUnavailable || after < 1:
			t.Errorf("%s: %d to %q, Retry-After %d: %v", what, got.StatusCode, got.location, after, a.last("sign_in").Cause)
		case got.Header.Get("Www-Authenticate") != "":
			t.Errorf("%s: 503 with a challenge", what)
		}
		return false
	}
	begins := func() (to string, ok bool) {
		ok = in("the sign-in page", "/authorize?", func() answer {
			got := b.get("/login?" + url.Values{"return_to": {"/account"}}.Encode())
			to = got.location
			return got
		})
		return to, ok
	}
	to, ok := begins()
	way.fault.Store(&fault)
	if ok {
		back := b.ask(to)
		in("the callback", "/account", func() answer { return b.get(back) })
	}
	if moment != "cold" {
		if got := a.backChannel(p.logoutToken(map[string]any{"sub": "somebody else"})); got.StatusCode != http.StatusOK && (got.StatusCode != 503 || got.Header.Get("Retry-After") == "") {
			t.Errorf("a logout token: %d: %v", got.StatusCode, a.last("logout").Cause)
		}
		visitor.wantSignedIn("alice")
		in("a logout", "", func() answer { return visitor.send(http.MethodPost, "/logout", nil) })
		visitor.wantSignedIn("")
	}
}
