package dpop_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

func TestNormalizeURI(t *testing.T) { // RFC 3986 §6.2.2, §6.2.3
	for uri, want := range map[string]string{
		"https://api.example/a":            "https://api.example/a",
		"HTTPS://API.Example/A":            "https://api.example/A",
		"https://api.example":              "https://api.example/",
		"https://api.example:443":          "https://api.example/",
		"https://api.example:":             "https://api.example/",
		"https://api.example:80/":          "https://api.example:80/",
		"http://localhost:80/":             "http://localhost/",
		"https://[2001:DB8::1]:443/a":      "https://[2001:db8::1]/a",
		"https://[::1]/":                   "https://[::1]/",
		"https://api.example/%7euser/%2f":  "https://api.example/~user/%2F",
		"https://api.example/a/./b/../c":   "https://api.example/a/c",
		"https://api.example/a/%2e%2E/b":   "https://api.example/b",
		"https://api.example/../../a":      "https://api.example/a",
		"https://api.example/a/..":         "https://api.example/",
		"https://api.example/a/.":          "https://api.example/a/",
		"https://api.example/a//b":         "https://api.example/a//b",
		"https://api.example/a/":           "https://api.example/a/",
		"https://api.example/a;b=c,d@e:f!": "https://api.example/a;b=c,d@e:f!",

		"":                           "",
		"/a":                         "",
		"api.example/a":              "",
		"https:/api.example/a":       "",
		"https://a::/":               "",
		"https://a:b/":               "",
		"https://a:8:8/":             "",
		"https://[]/":                "",
		"https://[::1]x/":            "",
		"https://[g_]/":              "",
		"https:///a":                 "",
		"https://:443/a":             "",
		"ftp://api.example/a":        "",
		"https://u:p@api.example/a":  "",
		"https://api.example/a?b":    "",
		"https://api.example/a#b":    "",
		"https://api.example?b":      "",
		"https://api.example/%":      "",
		"https://api.example/%4":     "",
		"https://api.example/%g1":    "",
		"https://api.example/\u00e4": "",
		"https://api.example/a b":    "",
		"https://api.example/a\\b":   "",
		"https://api.example\\a":     "",
		"https://ap\u0130.example/a": "", // "i" in lower case
		"https://\u212A.example/a":   "",
		"https://api%2eexample/":     "",
		" https://api.example/":      "",
	} {
		got, err := dpop.NormalizeURI(uri)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", uri, got, err, want)
		}
	}
}

func TestTargetPath(t *testing.T) { // RFC 9112 §3.2
	for target, want := range map[string]string{
		"/": "/", "/a?b=/c?d": "/a", "//a": "//a", "http://other.example/a?b": "/a", "HTTPS://other.example": "/",
		"http://other.example?x": "/", "*": "", "": "", "other.example:443": "", "ftp://x/y": "", "/a://b": "/a://b",
	} {
		if got, err := dpop.TargetPath(target); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", target, got, err, want)
		}
	}
}

// A service behind a proxy that strips a prefix, and a service with two names.
func TestAddresses(t *testing.T) {
	b := newBench(t, dpop.WithAddress("https://www.example:8443/api/v1/"), dpop.WithAddress("http://127.0.0.1:8080"))
	for uri, good := range map[string]bool{
		"https://api.example/reports":                true,
		"https://www.example:8443/api/v1/reports":    true,
		"http://127.0.0.1:8080/reports":              true,
		"https://www.example:8443/reports":           false,
		"https://www.example/api/v1/reports":         false,
		"https://api.example/api/v1/reports":         false,
		"https://127.0.0.1:8080/reports":             false,
		"https://www.example:8443/api/v1//reports":   false,
		"https://www.example:8443/api/v1/../reports": false,
	} {
		proof := b.proof()
		proof.Claims["htu"] = uri
		p, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, proof)))
		if good && err != nil {
			t.Errorf("%s: %v", uri, err)
		} else if !good {
			refused(t, p, err, core.CodeInvalidProof, core.ReasonBadClaim)
		}
	}
	r := request("/reports", b.key.Sign(t, b.proof()))
	r.Request.RequestURI = "*"
	r.Request.URL = &url.URL{Path: "*"}
	p, err := b.Authenticate(t.Context(), r)
	refused(t, p, err, core.CodeInvalidProof, core.ReasonBadClaim)
}

// Normalizing is idempotent, and its result has no query, dot segment or default port.
func FuzzNormalizeURI(f *testing.F) {
	for _, s := range []string{"https://api.example/a/%2e%2E/b", "http://[::1]:80", "HTTPS://A:443//../%7e%3f", "https://a/..%2f", "https://a/%252e", "http://."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		once, err := dpop.NormalizeURI(uri)
		if err != nil {
			return
		}
		twice, err := dpop.NormalizeURI(once)
		if err != nil || twice != once {
			t.Fatalf("%q: %q, then %q, %v", uri, once, twice, err)
		}
		_, path, _ := strings.Cut(once, "://")
		path = path[strings.IndexByte(path, '/'):] + "/"
		if strings.ContainsAny(once, "?# \\") || strings.Contains(path, "/../") || strings.Contains(path, "/./") {
			t.Fatalf("%q: %q", uri, once)
		}
	})
}
