package authclient_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/sallyport-go/sallyport/core/authclient"
)

// to redirects to the address in the query.
func to(t *testing.T) (*service, *script) {
	seen := &script{answers: []string{"200"}}
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.ServeHTTP(discardWriter{header: http.Header{}}, r)
		if next := r.URL.Query().Get("to"); next != "" {
			http.Redirect(w, r, next, http.StatusTemporaryRedirect)
		}
	})), seen
}

type discardWriter struct{ header http.Header }

func (w discardWriter) Header() http.Header         { return w.header }
func (w discardWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w discardWriter) WriteHeader(int)             {}

// K06: CVE-2024-45336, CVE-2025-4673, CVE-2023-45289. The foreign server is on
// another port of the same host, where net/http keeps Authorization.
func TestK06CredentialsStayOnTheOrigin(t *testing.T) {
	for field, source := range map[string]func(*testing.T) authclient.Source{
		"Authorization": func(t *testing.T) authclient.Source { return bearerSource(t, new(issuer).fetch) },
		"X-Api-Key": func(t *testing.T) authclient.Source {
			key, err := authclient.APIKey("x-api-key", "secret")
			if err != nil {
				t.Fatal(err)
			}
			return key
		},
	} {
		for _, own := range []bool{false, true} {
			t.Run(field, func(t *testing.T) {
				ours, atOurs := to(t)
				foreign, atForeign := to(t)
				c := clientOf(t, source(t), []string{ours.URL})
				for _, path := range []string{
					"/?to=/a",             // only to us
					"/?to=" + foreign.URL, // away
					"/?to=" + foreign.URL + "/?to=" + ours.URL, // away and back
				} {
					req, _ := http.NewRequestWithContext(t.Context(), "GET", ours.URL+path, nil)
					if own {
						req.Header.Set(field, "the caller's own")
					}
					if status, _ := doRequest(t, c, req); status != 200 {
						t.Fatalf("%s: status %d", path, status)
					}
				}
				for i, v := range atForeign.sent(field) {
					if v != "" {
						t.Errorf("request %d to another origin carries %q", i+1, v)
					}
				}
				got := atOurs.sent(field)
				if len(got) != 5 || len(atForeign.sent(field)) != 2 {
					t.Fatalf("%q", got)
				}
				for i, v := range got {
					if (v != "") != (i < 4) { // the fifth came back from the other origin
						t.Errorf("request %d to the own origin carries %q", i+1, v)
					}
					if own && i < 4 && v != "the caller's own" {
						t.Errorf("the caller's credentials became %q", v)
					}
				}
			})
		}
	}
}

func TestK06ForeignRedirectBringsNoCredentials(t *testing.T) {
	ours, atOurs := to(t)
	foreign, _ := to(t)
	c := clientOf(t, bearerSource(t, new(issuer).fetch), []string{ours.URL})
	do(t, c, "DELETE", foreign.URL+"/?to="+ours.URL+"/account", "")
	equal(t, "sent", atOurs.sent("Authorization"), []string{""})
}

func TestK06OriginsShareCredentialsOnlyWhenTold(t *testing.T) {
	a, atA := to(t)
	b, atB := to(t)
	c := clientOf(t, bearerSource(t, new(issuer).fetch), []string{a.URL, b.URL})
	do(t, c, "GET", a.URL+"/?to="+b.URL, "")
	equal(t, "at the second", append(atA.sent("Authorization"), atB.sent("Authorization")...), []string{"Bearer token-1", "Bearer token-1"})
}

// K06: letter case is ignored for ASCII alone (RFC 3986 §3.2.2). Folding other characters
// changes the host (UTS #46 §4): "İ" is "i" in lower case, and "i̇" in a host name.
func TestK06HostsThatOnlyLookAlike(t *testing.T) {
	const ascii, sharp = "abcdefghijklmnopqrstuvwxyz.example", "fa\u00DF.example"
	var at, sent string
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		at, sent = r.URL.Host, r.Header.Get("Authorization")
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
	transport, err := authclient.New(base, bearerSource(t, new(issuer).fetch), []string{"https://" + ascii, "https://" + sharp})
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]bool{
		ascii: true, strings.ToUpper(ascii): true, sharp: true, "FA\u00DF.Example": true, // whether it is our own
		"fa\u1E9E.example": false, "fa\xDF.example": false, "fass.example": false,
	}
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		for _, f := range []func(rune) rune{unicode.ToLower, unicode.ToUpper, unicode.ToTitle, unicode.SimpleFold} {
			if c := string(unicode.ToLower(f(r))); f(r) < 0x80 && strings.Contains(ascii, c) {
				hosts[strings.Replace(ascii, c, string(r), 1)] = false
			}
		}
	}
	if len(hosts) < 10 {
		t.Fatalf("%d hosts", len(hosts))
	}
	for host, ours := range hosts {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://any.example/", nil)
		req.URL.Host = host
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if at != host || (sent != "") != ours {
			t.Errorf("%q gets %q", at, sent)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestResponsesShowNoCredentials(t *testing.T) {
	s := serve(t, &script{answers: []string{"200"}})
	resp, err := clientOf(t, bearerSource(t, new(issuer).fetch), []string{s.URL}).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if v := resp.Request.Header.Get("Authorization"); v != "" {
		t.Errorf("%q", v)
	}
}

func TestOriginsAreChecked(t *testing.T) {
	source := bearerSource(t, new(issuer).fetch)
	for _, o := range []string{"https://api.example", "https://API.example:443/", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:80"} {
		if _, err := authclient.New(nil, source, []string{o}); err != nil {
			t.Errorf("%s: %v", o, err)
		}
	}
	for o, says := range map[string]string{
		"":                         "https://",
		"api.example":              "https://",
		"ftp://api.example":        "https://",
		"https://":                 "no host",
		"https://:443":             "no host",
		"https://api.example/v1":   "nothing else",
		"https://me@api.example":   "nothing else",
		"https://api.example?x":    "nothing else",
		"https://api.example/#":    "nothing else",
		"http://api.example":       "WithPlainHTTP",
		"http://localhost.example": "WithPlainHTTP",
		"http://127.0.0.1.example": "WithPlainHTTP",
		"https://api.example:x":    "not a URL",
	} {
		if _, err := authclient.New(nil, source, []string{"https://ok.example", o}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", o, err)
		}
	}
	if _, err := authclient.New(nil, source, []string{"http://api.example"}, authclient.WithPlainHTTP()); err != nil {
		t.Error(err)
	}
}
