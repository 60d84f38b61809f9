package authtest

import (
	"strings"
	"testing"
)

// pathSeeds are spellings to mutate from.
var pathSeeds = []string{
	"/files/a+b", "/files/a+b%41", "/admin/a+b", "/things/a+b", "/things/a+b%20c", "/things/a%2Bb%41",
	"/files/secret", "/files/public", "/admin/7", "/admin", "/things/1",
	"/FILES/secret", "/files/SECRET", "/files/secret/", "/files/secret//", "//files/secret",
	"/files//secret", "/files/./secret", "/files/x/../secret", "/files/%2e%2e/files/secret",
	"/files/%2E/secret", "/files/..%2fadmin/7", "/files/%2e%2e%2fsecret", "/files%2fsecret",
	"/%66iles/secret", "/files/%73ecret", "/files/%2573ecret", "/files/secret%00", "/files/secret%0a",
	"/files/secret%20", "/files/secret;x=1", "/files;x/secret", "/files/secret?x=/files/public",
	"/files/secret#x", "/files/public#/../secret", "/files/public?#", "http://h/files/secret",
	"http://h//files/secret", "http:/files/secret", "HTTP://u:p@h/files/secret?q", "files/secret", "*",
	`/files\secret`, "/files/%5csecret", "/files/secret%2f", "/files/secret/.", "/files/secret/..",
	"/files/\xff", "/files/%ff", "/files/%c0%afsecret", "/files/secr%65t/a+b", "/things/%2e%2e",
	"/things/a%2fb", "/things/..%2f..%2fadmin%2f7", "/admin%2f7", "/adm\u0131n/7", "/\u017fecret", "/files/\u212aey",
	"/static/secret/x.txt", "/static/public.txt", "/STATIC/secret/x.txt", "/Static/secret/x.txt", "/staticsecret/x.txt", "/STATICsecret/x.txt",
	"/static/secret/x.txt/", "/static//secret/x.txt", "/static/./secret/x.txt", "/static/%73ecret/x.txt", "/static%2fsecret/x.txt",
	"/%73tatic/secret/x.txt", "//static/secret/x.txt", "/static/x/../secret/x.txt", "/static/secret%2fx.txt", `/static\secret/x.txt`,
	"/nested/secret", "/nested/public", "/NESTED/secret", "/Nested/secret/x", "/nestedsecret", "/NESTEDsecret/x", "/nested/secret/",
	"/nested//secret", "/nested/./secret", "/nested/%73ecret", "/nested%2fsecret", "/%6eested/secret", "//nested/secret", "/nested/secret;x",
	"/files/%e2%80%ae", "/files/%zz", "/files/%", "/files/secret%", "/admin/:id", "/files/*", "/files/**",
}

// RunPaths sends the seed paths to an app with a deny rule, for configurations
// of a framework other than its default. Whatever the spelling, no handler may
// serve what the rule denies, or anything other than the policy was asked about.
func RunPaths(t *testing.T, fw Framework) {
	v := newVault(t, fw)
	for _, target := range pathSeeds {
		v.probe(t, "GET", target)
		v.probe(t, "HEAD", target)
	}
	if len(v.rec.Events()) == 0 {
		t.Error("no request came to the gate")
	}
	encodedSlashes(t, fw)
}

// FuzzPaths is [RunPaths] with targets the fuzzer makes.
func FuzzPaths(f *testing.F, fw Framework) {
	for _, s := range pathSeeds {
		f.Add("GET", s)
	}
	v := newVault(f, fw)
	f.Fuzz(func(t *testing.T, method, target string) { v.probe(t, method, target) })
}

// probe sends one request and checks what came to a handler. A blank or line
// end would make it another request, so it is not sent.
func (v *vault) probe(t *testing.T, method, target string) {
	t.Helper()
	if method == "" || strings.ContainsAny(method+target, "\r\n \t") {
		return
	}
	v.take()
	a, err := send(v.addr, Request(method, target, "Authorization: Name alice"))
	if strings.Contains(a.Body, secretText) {
		t.Errorf("%s %q: the secret is given out", method, target)
	}
	for _, r := range v.take() {
		if leak := r.leak(v.rec.Last(t).Resource); leak != "" {
			t.Errorf("%s %q: %s (answer: %v)", method, target, leak, err)
		}
	}
}
