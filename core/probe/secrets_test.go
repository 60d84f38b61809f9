package probe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

// echo repeats the credentials that it gets in every part of an answer.
func echo(w http.ResponseWriter, r *http.Request) {
	sent := r.Header.Get("Authorization") + r.Header.Get("Cookie") + r.Header.Get("X-API-Key")
	_, password, _ := r.BasicAuth()
	switch r.URL.Path {
	case "/soft":
		answer(w, 200, "access denied for "+sent+" "+password)
	case "/challenge":
		answer(w, 403, `the role "`+password+sent+`"`, "WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", sent+password), "Age", "7"+sent)
	case "/redirect":
		answer(w, 302, "", "Location", "/soft?as="+strings.ReplaceAll(sent, " ", "%20"))
	case "/elsewhere":
		answer(w, 302, "", "Location", "https://other.example/?as="+strings.ReplaceAll(sent, " ", "%20"))
	default:
		answer(w, 401, "sign in "+sent, "WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", sent))
	}
}

// TestCredentialsAreInNoFinding: no output contains credentials, even if the service
// repeats them.
func TestCredentialsAreInNoFinding(t *testing.T) {
	const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJlcmluIiwiZW1haWwiOiJlcmluQGV4YW1wbGUuY29tIiwicm9sZXMiOlsiZWRpdG9yIl19.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
	s := probe.Settings{
		Identities: []probe.Identity{
			{Name: "erin", Header: bearer(token)},
			{Name: "sam", Header: []core.Field{{Name: "Authorization", Value: "Basic c2FtOnNhbS1wYXNzd29yZA=="}}},
			{Name: "kim", Header: []core.Field{{Name: "Cookie", Value: "csrf=csrf-secret-7; session=long-session-secret-8"}, {Name: "X-API-Key", Value: "key-secret-9"}}},
			{Name: "old", Header: bearer("old-secret-6"), Bad: true},
		},
	}
	for _, p := range []string{"/soft", "/challenge", "/redirect", "/elsewhere", "/other"} {
		s.Routes = append(s.Routes, probe.Route{Method: "GET", Pattern: p})
	}
	r := run(t, http.HandlerFunc(echo), s)
	if len(r.Findings) < 20 || len(r.Notes) == 0 {
		t.Fatalf("only %d findings, notes %q", len(r.Findings), r.Notes)
	}
	var printed []string
	for _, f := range r.Findings {
		printed = append(printed, f.Path+f.Got+f.Want+f.Detail, f.Curl("http://x", s.Identities))
	}
	printed = append(printed, r.Notes...)
	for _, secret := range []string{token[:40], "c2lnbmF0dXJlLW9mLXRoZS10b2tlbg", "c2FtOnNhbS1wYXNzd29yZA", "sam-password", "csrf-secret-7", "long-session-secret-8", "key-secret-9", "old-secret-6"} {
		for _, text := range printed {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, text)
				break
			}
		}
	}
}

// TestRequestsStayOnTheHost: whatever a service refers to, no other host gets requests or
// credentials.
func TestRequestsStayOnTheHost(t *testing.T) {
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer other.Close()
	host := strings.TrimPrefix(other.URL, "http://")
	places := []string{"//" + host + "/x", other.URL + "/x", "http:////" + host, `/\` + host, `\\` + host, "http:" + host, "///" + host, "//x@" + host, "/%2F" + host, "\t//" + host, "javascript:fetch('//" + host + "')"}
	s := right()
	s.wrong = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasPrefix(r.URL.Path, "/to"):
			var i int
			if _, err := fmt.Sscanf(r.URL.Path, "/to%d", &i); err != nil || i >= len(places) {
				return false
			}
			w.Header()["Location"] = []string{strings.TrimSpace(places[i])}
			return answer(w, 302, "")
		case r.URL.Path == "/sitemap.xml":
			return answer(w, 200, "<urlset><url><loc>"+strings.Join(places, "</loc></url><url><loc>")+"</loc></url></urlset>")
		case r.URL.Path == "/robots.txt":
			return answer(w, 200, "Sitemap: "+other.URL+"/sitemap.xml\n")
		case r.URL.Path == "/health":
			return answer(w, 200, `<base href="`+other.URL+`"><a href="`+strings.Join(places, `">x</a><a href="`)+`">x</a><script src="//`+host+`/x.js"></script>`, "Content-Type", "text/html")
		}
		return false
	}
	set := settings()
	for i := range places {
		set.Routes = append(set.Routes, probe.Route{Method: "GET", Pattern: fmt.Sprintf("/to%d", i)})
	}
	r := run(t, s, set)
	if asked.Load() > 0 {
		t.Errorf("another host was asked %d times", asked.Load())
	}
	for _, x := range r.Exchanges {
		if x.Purpose == probe.Link && (len(x.Request.Header) > 0 || x.As != probe.Anonymous) {
			t.Errorf("a link is followed with credentials: %+v", x.Request)
		}
		if !strings.HasPrefix(x.Target, "/") {
			t.Errorf("the target %q", x.Target)
		}
	}
}

// TestRateIsKept: no request, not even a repeated one, is sent sooner than the rate allows.
func TestRateIsKept(t *testing.T) {
	var times []time.Time
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		times = append(times, time.Now())
		if len(times)%2 == 0 {
			panic(http.ErrAbortHandler)
		}
	}))
	defer srv.Close()
	c, err := probe.NewClient(srv.URL, probe.WithRate(100))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.KeepConnections()
	start := time.Now()
	for range 6 {
		c.Send(t.Context(), probe.Request{Method: "GET", Target: "/"})
	}
	if least := time.Duration(len(times)-1) * 10 * time.Millisecond; len(times) < 7 || times[len(times)-1].Sub(start) < least-time.Millisecond {
		t.Errorf("%d requests in %v", len(times), times[len(times)-1].Sub(start))
	}
}

// TestWritesAreSentOnce: a request that may change something is not sent again when
// its connection ends.
func TestWritesAreSentOnce(t *testing.T) {
	var writes atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			writes.Add(1)
			panic(http.ErrAbortHandler)
		}
	}))
	defer srv.Close()
	c, err := probe.NewClient(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.KeepConnections()
	if a := c.Send(t.Context(), probe.Request{Method: "GET", Target: "/"}); a.Err != nil {
		t.Fatal(a.Err)
	}
	if a := c.Send(t.Context(), probe.Request{Method: "POST", Target: "/", Content: "x"}); a.Err == nil || writes.Load() != 1 {
		t.Errorf("sent %d times, %v", writes.Load(), a.Err)
	}
}

// TestErrorsHoldNoCredentials: a field that cannot be sent is not repeated.
func TestErrorsHoldNoCredentials(t *testing.T) {
	c, err := probe.NewClient("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	a := c.Send(t.Context(), probe.Request{Method: "GET", Target: "/", As: "erin", Header: bearer("secret\r\nX: y")})
	if a.Err == nil || strings.Contains(a.Err.Error(), "secret") || !strings.Contains(a.Err.Error(), "as erin") {
		t.Errorf("error %v", a.Err)
	}
}
