package authtest

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/core"
)

const (
	mountSecret = "what is below /files/secret"
	mountPublic = "what is not"
)

// MountFiles are the files that [CheckMount] requests, both below "files" and at the top
// level, for file servers with and without a prefix to strip.
var MountFiles = fstest.MapFS{
	"secret/x.txt":       {Data: []byte(mountSecret)},
	"public/x.txt":       {Data: []byte(mountPublic)},
	"files/secret/x.txt": {Data: []byte(mountSecret)},
	"files/public/x.txt": {Data: []byte(mountPublic)},
}

// MountFile returns the answer of a handler below /files that takes names from the request,
// such as the values of its parameters. Like a careless handler, it decodes each once and
// resolves dot segments.
func MountFile(names ...string) string {
	for i, name := range names {
		if decoded, err := url.PathUnescape(name); err == nil {
			names[i] = decoded
		}
	}
	name := path.Clean(strings.ReplaceAll(strings.Join(names, "/"), `\`, "/"))
	if first, _, _ := strings.Cut(strings.TrimLeft(name, "/"), "/"); strings.TrimRight(first, "\x00") == "secret" {
		return mountSecret
	}
	return mountPublic
}

// MountGuard returns a guard that allows alice everything except paths below /files/secret.
// With encodedSlashes it lets encoded slashes through; the rule then covers these
// spellings, too.
func MountGuard(t testing.TB, encodedSlashes bool) *core.Guard {
	t.Helper()
	opts := []core.Option{core.WithAuthorizer(AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
		rest, below := strings.CutPrefix(a.Resource.Path, "/files/secret")
		secret := below && (rest == "" || rest[0] == '/' || strings.HasPrefix(rest, "%2F"))
		return core.Decision{Allowed: !secret}, nil
	}))}
	if encodedSlashes {
		opts = append(opts, core.WithEncodedSlashes())
	}
	g, _ := guard(t, opts...)
	return g
}

// CheckMount tests an application in which a [MountGuard] is mounted, and something that
// serves [MountFiles], or [MountFile], below /files. Public files must be served, and
// secret ones must be 403, including all spellings in which up to odd parts, at most two,
// are written in an unusual way. suffix is the part of the route after the file name.
func CheckMount(t testing.TB, where string, h http.Handler, odd int, suffix string) {
	t.Helper()
	if a := sendTo(h, "/files/public/x.txt"+suffix); a.Code != http.StatusOK || a.Body.String() != mountPublic {
		t.Fatalf("%s: what is public is %d %s", where, a.Code, a.Body)
	}
	if a := sendTo(h, "/files/secret/x.txt"+suffix); a.Code != http.StatusForbidden {
		t.Fatalf("%s: what is secret is %d %s", where, a.Code, a.Body)
	}
	for _, target := range mountSpellings[odd]() {
		if a := sendTo(h, target+suffix); strings.Contains(a.Body.String(), mountSecret) {
			t.Errorf("%s: %s gives out the secret", where, target+suffix)
		}
	}
}

// sendTo passes a raw request line to h.
func sendTo(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: app.example\r\nAuthorization: Name alice\r\n\r\n", target))))
	if err != nil { // the server itself would answer 400
		w.Code = http.StatusBadRequest
		return w
	}
	r.RemoteAddr = "192.0.2.1:1234"
	h.ServeHTTP(w, r)
	return w
}

// mountSpellings returns the spellings of /files/secret/x.txt, by the number of unusual
// parts.
var mountSpellings = [...]func() []string{
	sync.OnceValue(func() []string { return oddSpellings(0) }),
	sync.OnceValue(func() []string { return oddSpellings(1) }),
	sync.OnceValue(func() []string { return oddSpellings(2) }),
}

func oddSpellings(odd int) []string {
	pieces := [...][]string{
		{
			"/files", "/FILES", "/%66iles", "//files", "/./files", "/x/../files", "/files/../files", "http://app.example/files",
			"http://app.example//files", "///files", `/\files`, "/;/files", "/files;x", "/f%69les", "/%2Ffiles", "HTTP:/files", "/ﬁles",
		},
		{
			"/", "//", "%2F", "%2f", "/./", "/x/../", "/%2e/", "/%2e%2e/files/", `\`, "%5C", "/%5C", "%252F", "/;/", "%2F%2F", "/..%2F",
			"", "/%00/", "/%2E%2e/files/", "/..;/files/", "%EF%BC%8F", "%c0%af", "%E2%81%84", "/.%00/", "/%20/", "/\u200b",
		},
		{
			"secret", "%73ecret", "s%65cre%74", "%2573ecret", "secret%00", "secret;x", "secret%2F", "x%2F..%2Fsecret", "secret+", "%2Fsecret",
			"SECRET", "secret.", "secret%20", "\u017fecret", "secret%3F", "secret%23", "x/..%2Fsecret", "secret%3Bx", "secret%09",
		},
		{
			"/x.txt", "//x.txt", "%2Fx.txt", "%2fx.txt", "/./x.txt", "/x.txt/", "%5Cx.txt", "/%78.txt", "/y%2F..%2Fx.txt", "/x.txt%00",
			"/x.txt?/files/public/x.txt", "/../secret/x.txt", "%2F%78.txt", "/x.txt//", "/x.txt%2F", "/x.txt/.", "/x.txt;/public", "/x.txt#/public",
			"/x.txt/..;/x.txt", "/x.txt%3F", "?/../x.txt",
		},
	}
	var all []string
	var join func(done string, odd int, rest [][]string)
	join = func(done string, n int, rest [][]string) {
		if len(rest) == 0 {
			all = append(all, done)
			return
		}
		for i, piece := range rest[0] {
			if n := n + min(i, 1); n <= odd {
				join(done+piece, n, rest[1:])
			}
		}
	}
	join("", 0, pieces[:])
	return all
}
