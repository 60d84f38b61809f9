package quiet

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example/keys?code=SECRET":           "https://a.example/keys",
		"https://u:SECRET@a.example:8443/a%2Fb#SECRET": "https://a.example:8443/a%2Fb",
		"https://a.example/?":                          "https://a.example/",
		"https:SECRET":                                 "https:…",
		"":                                             "",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := URL(u); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := Text("https://u:SECRET@a b/"); got != "…" {
		t.Errorf("no URL: %s", got)
	}
	if got := Text("https://u:SECRET@a.example/x?SECRET"); got != "https://a.example/x" {
		t.Errorf("text: %s", got)
	}
	u := &url.URL{Scheme: "https", User: url.UserPassword("u", "SECRET"), Host: "a.example", Path: "/SECRET"}
	if got := Origin(u); got != "https://a.example" {
		t.Errorf("origin %s", got)
	}
}

func TestErrorsKeepTheirCause(t *testing.T) {
	down := errors.New("connection refused")
	one := &url.Error{Op: "Get", URL: "https://a.example/?SECRET", Err: down}
	for _, err := range []error{down, one, fmt.Errorf("SECRET: %w", one), &url.Error{Op: "Get", URL: "SECRET", Err: one}} {
		if got := Error(err); !errors.Is(got, down) || strings.Contains(got.Error(), "SECRET") {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestRedirectsToNoURL(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusFound)
	}))
	defer s.Close()
	c := http.Client{Transport: Transport(http.DefaultTransport), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for to, want := range map[string]bool{"http://%41:SECRET/": true, "%zzSECRET": true, "/there": false} {
		resp, err := c.Get(s.URL + "/?to=" + url.QueryEscape(to))
		if (err != nil) != want || err != nil && strings.Contains(Error(err).Error(), "SECRET") {
			t.Errorf("redirect to %s: %v", to, err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
	}
}
