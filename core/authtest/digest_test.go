package authtest

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/digest"
)

var digestSemantics = []testCase{
	{"D14 uri is the request target", digestTarget},
	{"D15 the method is bound", digestMethod},
	{"D16 forms of the user", digestUser},
	{"D17 the hash of the user", digestUserHash},
	{"D19 nothing of the user is logged, and an unknown one is answered like a wrong password", digestSecrecy},
	{"A06 several schemes, and two gates for one answer", digestBesideOthers},
	{"D01 D02 D03 algorithms and their order", digestOffers},
	{"D04 SHA-512-256 is that of FIPS 180-4", digestSHA512256},
	{"D05 the example of RFC 7616", digestExample},
	{"D06 what is quoted in challenges", digestQuoting},
	{"D07 credentials are parsed strictly", digestParsing},
	{"D08 hashes are over unescaped values", digestUnescaped},
	{"D09 D18 algorithm and realm are ones offered", digestOffered},
	{"D10 qop is auth", digestQop},
	{"D11 nonces cannot be made up", digestNonces},
	{"D12 a stale nonce", digestStale},
	{"D13 counts are used once", digestCounts},
	{"D13 requests at once", digestAtOnce},
}

// digestOffers: RFC 7616 §3.7. A client that uses the first line uses SHA-256, which all
// clients know.
func digestOffers(t *testing.T, f Framework) {
	for _, c := range []struct {
		opts []digest.Option
		want []string
	}{
		{nil, []string{"SHA-256"}},
		{[]digest.Option{digest.WithMoreAlgorithms(digest.SHA512256)}, []string{"SHA-256", "SHA-512-256"}},
		{[]digest.Option{digest.WithMoreAlgorithms(digest.MD5)}, []string{"SHA-256", "MD5"}},
		{[]digest.Option{digest.WithMoreAlgorithms(digest.MD5, digest.SHA512256)}, []string{"SHA-256", "SHA-512-256", "MD5"}},
	} {
		d := newDigestDoor(t, f, "r", nil, c.opts...)
		cs, err := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired).challenges()
		if err != nil || len(cs) != len(c.want) {
			t.Fatalf("%d challenges, %v; want %q", len(cs), err, c.want)
		}
		for i, want := range c.want {
			if got, _ := cs[i].Param("algorithm"); got != want {
				t.Errorf("challenge %d is for %s, want %s", i+1, got, want)
			}
			d.admits("bob", d.reply(want).header())
		}
	}
}

// digestSHA512256: the values of RFC 7616 §3.9.2 are those of another function
// (erratum 4897).
func digestSHA512256(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil, digest.WithMoreAlgorithms(digest.SHA512256))
	r := d.reply("SHA-512-256")
	d.refusesFor(core.ReasonWrongSecret, r.signed("SHA-512 cut short", "bob", "open sesame", "GET"))
	d.refusesFor(core.ReasonWrongSecret, r.signed("SHA-256", "bob", "open sesame", "GET"))
	d.admits("bob", r.header())
}

// digestExample: RFC 7616 §3.9.1. The suite's client computes the values printed there, so
// it can be trusted in the other cases.
func digestExample(t *testing.T, f Framework) {
	example := digestReply{
		"realm": "http-auth@example.org", "uri": "/dir/index.html", "nc": "00000001", "qop": "auth",
		"nonce":  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		"cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	}
	d := newDigestDoor(t, f, "http-auth@example.org", []string{"Mufasa"}, digest.WithMoreAlgorithms(digest.MD5))
	for _, tt := range []struct{ algorithm, qop, want string }{
		{"MD5", "auth", "8ca523f5e9506fed4657c9700eebdbec"},
		{"SHA-256", "auth", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		// The RFC has no values for these, which follow from its definitions.
		{"SHA-512-256", "auth", "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"},
		{"MD5-sess", "auth", "e783283f46242139c486a698fec7211d"},
		{"SHA-256-sess", "auth", "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"},
		{"SHA-512-256-sess", "auth", "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e"},
		{"MD5", "auth-int", "8804a53d3640a40a4f73cea12c5ba451"},
		{"SHA-256", "auth-int", "8bdf6f15638e260831e905028de5450562816d093c9bfc5c13d3a46adcdde940"},
		{"SHA-512-256", "auth-int", "38244c4d345d09bb0000b355be27d2a55003ee188df9821c54df70a63aa0c1ca"},
	} {
		if got := example.with("qop", tt.qop).signed(tt.algorithm, "Mufasa", "Circle of Life", "GET")["response"]; got != tt.want {
			t.Errorf("%s, %s: %s, want %s", tt.algorithm, tt.qop, got, tt.want)
		}
	}
	for _, algorithm := range []string{"MD5", "SHA-256"} {
		r := d.reply(algorithm).with("username", "Mufasa")
		d.admits("Mufasa", r.signed(algorithm, "Mufasa", "open sesame", "GET").header())
	}
}

var digestForm = regexp.MustCompile(`^Digest realm="a\\"b", qop="auth", algorithm=(SHA-256|MD5), nonce="[\w-]{43}", opaque="[\w-]{22}", charset=UTF-8, userhash=true(, stale=true)?$`)

// digestQuoting: RFC 7616 §3.3.
func digestQuoting(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, `a"b`, nil, digest.WithMoreAlgorithms(digest.MD5), digest.WithUserHash())
	r := d.reply("SHA-256")
	answers := []Answer{d.get(), d.refusesFor(core.ReasonWrongSecret, r.with("cnonce", "x"))}
	d.clock.now = d.clock.now.Add(time.Hour)
	answers = append(answers, d.get(r.header()))
	for i, a := range answers {
		lines := a.Header.Values("WWW-Authenticate")
		if len(lines) != 2 {
			t.Errorf("answer %d: challenges %q", i, lines)
		}
		for _, line := range lines {
			if m := digestForm.FindStringSubmatch(line); m == nil || (m[2] != "") != (i == 2) {
				t.Errorf("answer %d: challenge %s", i, line)
			}
		}
	}
}

// digestParsing: RFC 7616 §3.4, RFC 9110 §11.2. Credentials that cannot be parsed are 401,
// and never cause a panic.
func digestParsing(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	for _, credentials := range []string{
		"Digest", "Digest x", "Digest x=", `Digest x="`, "Digest =", "Digest =x", "Digest ,", "Digest , ,=,", "Digest username", "Digest Ym9iOng=",
		"Digest username=bob", `Digest username="bob", username="eve"`, "Digest\tusername=bob", "Digest x=\"\x80",
		"Digest " + strings.Repeat("a=b, ", 40),
	} {
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, "Authorization: "+credentials)
		if e := d.rec.Last(t); e.Reason != core.ReasonMalformed || e.Scheme != "Digest" {
			t.Errorf("%.40q: event %s %s", credentials, e.Scheme, e.Reason)
		}
	}
	for _, change := range []func(header string) string{
		func(h string) string { return strings.Replace(h, "nc=00000001", `NC = "0000000\1"`, 1) },
		func(h string) string { return strings.Replace(h, "qop=auth", `qop="auth"`, 1) },
		func(h string) string { return strings.Replace(h, "algorithm=SHA-256", `algorithm="SHA-256"`, 1) },
		func(h string) string { return strings.Replace(h, `"bob"`, "bob", 1) },
		func(h string) string { return h + `, unknown="a=b, nc=00000009, \"c\\"` },
	} {
		d.admits("bob", change(d.reply("SHA-256").header()))
	}
	for _, appended := range []string{", nc=00000002", `, Username="eve"`, ", x", `, x="`} {
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, d.reply("SHA-256").header()+appended)
	}
}

// digestUnescaped: RFC 7616 §3.4.5.
func digestUnescaped(t *testing.T, f Framework) {
	user := `a"b\c`
	d := newDigestDoor(t, f, `re"a\lm`, []string{user})
	r := d.reply("SHA-256").with("username", user)
	d.admits(user, r.signed("SHA-256", user, "open sesame", "GET").header())
	escaped := d.reply("SHA-256").with("username", user).signed("SHA-256", `a\"b\\c`, "open sesame", "GET")
	d.refusesFor(core.ReasonWrongSecret, escaped)
}

// digestOffered: RFC 7616 §3.4. An attacker who removes challenges from the answer cannot
// get a weaker algorithm accepted, and -sess is never offered.
func digestOffered(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	r := d.reply("SHA-256")
	for _, algorithm := range []string{"MD5", "md5", "SHA-512-256", "SHA-256-sess", "MD5-sess", "SHA-1", ""} {
		d.refusesFor(core.ReasonBadAlgorithm, r.with("algorithm", algorithm).signed(algorithm, "bob", "open sesame", "GET"))
	}
	d.refusesFor(digest.ReasonWrongRealm, r.with("realm", "R").signed("SHA-256", "bob", "open sesame", "GET"))
	d.refusesFor(digest.ReasonForeignNonce, r.with("opaque", "x"))
	d.refusesFor(core.ReasonWrongSecret, r.signed("SHA-256-sess", "bob", "open sesame", "GET"))
	d.admits("bob", r.header())
}

// digestQop: RFC 7616 §3.4; without qop the formula would be that of RFC 2069.
func digestQop(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	r := d.reply("SHA-256")
	old := r.with("qop", "").with("nc", "").with("cnonce", "")
	old["response"] = digestSum("SHA-256", digestSum("SHA-256", "bob:r:open sesame")+":"+r["nonce"]+":"+digestSum("SHA-256", "GET:/door"))
	d.refusesFor(core.ReasonMalformed, old)
	for _, name := range []string{"qop", "nc", "cnonce", "username", "uri", "response"} {
		d.refusesFor(core.ReasonMalformed, r.with(name, ""))
	}
	d.refusesFor(core.ReasonMalformed, r.with("qop", "auth-int").signed("SHA-256", "bob", "open sesame", "GET"))
	d.admits("bob", r.header())
}

// digestNonces: RFC 7616 §3.3.
func digestNonces(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	other := newDigestDoor(t, f, "r", nil) // with a key of its own
	r := d.reply("SHA-256")
	seen := map[string]bool{r["nonce"]: true}
	for range 20 {
		nonce := d.reply("SHA-256")["nonce"]
		if seen[nonce] {
			t.Errorf("nonce %s twice", nonce)
		}
		seen[nonce] = true
	}
	n := r["nonce"]
	for _, nonce := range []string{"", "x", n + "A", n[1:], altered(n, 0), altered(n, 20), altered(n, len(n)-1), other.reply("SHA-256")["nonce"]} {
		d.refusesFor(digest.ReasonForeignNonce, r.with("nonce", nonce).signed("SHA-256", "bob", "open sesame", "GET"))
	}
	d.admits("bob", r.header())
}

// digestStale: RFC 7616 §3.3. Only who knows the password learns that the nonce is stale.
func digestStale(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil, digest.WithNonceLifetime(time.Minute))
	r := d.reply("SHA-256")
	d.clock.now = d.clock.now.Add(time.Minute)
	d.admits("bob", r.header())
	d.clock.now = d.clock.now.Add(time.Second)
	r = r.with("nc", "00000002").signed("SHA-256", "bob", "open sesame", "GET")
	d.refusesFor(core.ReasonWrongSecret, r.signed("SHA-256", "bob", "wrong", "GET"))
	d.refusesFor(core.ReasonUnknownPrincipal, r.with("username", "eve").signed("SHA-256", "eve", "open sesame", "GET"))
	a := d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, r.header())
	if line := a.Header.Get("WWW-Authenticate"); !strings.HasSuffix(line, ", stale=true") {
		t.Errorf("challenge %s", line)
	}
	if e := d.rec.Last(t); e.Reason != core.ReasonStale {
		t.Errorf("reason %s", e.Reason)
	}
	d.admits("bob", d.answerTo(a, "SHA-256").header())
}

// digestCounts: RFC 7616 §3.4.
func digestCounts(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	r := d.reply("SHA-256")
	count := func(nc string) digestReply { return r.with("nc", nc).signed("SHA-256", "bob", "open sesame", "GET") }
	for _, nc := range []string{"1", "0000001", "000000001", "0000000g", "+0000001", "0x000001", "00000000"} {
		d.refusesFor(core.ReasonMalformed, count(nc))
	}
	for _, nc := range []string{"00000003", "00000001", "00000002", "000000ff"} {
		d.admits("bob", count(nc).header())
		d.refusesFor(core.ReasonReplayed, count(nc))
	}
	d.admits("bob", d.reply("SHA-256").header()) // counts of one nonce say nothing of another
	small := newDigestDoor(t, f, "r", nil, digest.WithMaxNonces(1))
	first, second := small.reply("SHA-256"), small.reply("SHA-256")
	small.admits("bob", first.header())
	small.admits("bob", second.header())
	a := small.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, first.header())
	if !strings.Contains(a.Header.Get("WWW-Authenticate"), "stale=true") || small.rec.Last(t).Reason != core.ReasonStale {
		t.Errorf("a nonce that was forgotten: %s", small.rec.Last(t).Reason)
	}
}

// digestAtOnce: a browser sends requests concurrently, and they arrive in any order.
func digestAtOnce(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	r := d.reply("SHA-256")
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 10 {
				nc := fmt.Sprintf("%08x", 40-(i*4+worker))
				header := r.with("nc", nc).signed("SHA-256", "bob", "open sesame", "GET").header()
				for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
					if a, err := send(d.addr, Request("GET", "/door", header)); err != nil || a.Status != want {
						t.Errorf("nc %s: %d, %v; want %d", nc, a.Status, err, want)
					}
				}
			}
		})
	}
	wg.Wait()
}

// digestTarget: RFC 7616 §3.4.6.
func digestTarget(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	for _, c := range []struct {
		target, uri string
		status      int
	}{
		{"/door", "/door", 200},
		{"/door?a=1&b=%20", "/door?a=1&b=%20", 200},
		{"http://app.example/door?a=1", "/door?a=1", 200},
		{"/door?a=1", "http://app.example/door?a=1", 200},
		{"http://app.example/door", "http://app.example/door", 200},
		{"/door?a=1", "/door", 400},
		{"/door?a=1", "/door?a=2", 400},
		{"/door", "/door?", 400},
		{"/door", "/other", 400},
		{"/door", "/%64oor", 400},
		{"/door", "http://other.example/door", 400},
		{"/door", "*", 400},
	} {
		r := d.reply("SHA-256").with("uri", c.uri).signed("SHA-256", "bob", "open sesame", "GET")
		what := c.target + " with uri " + c.uri
		a := Send(t, d.addr, Request("GET", c.target, r.header()))
		if c.status == http.StatusBadRequest {
			refused(t, what, a, c.status, core.CodeInvalidRequest)
			challenged(t, what, a, "")
		} else if a.Status != c.status || a.Body != handled+"bob" {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
}

// digestMethod: RFC 7616 §3.4.3. A response for one method is not valid for another, and
// sending it so does not use it up.
func digestMethod(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil)
	r := d.reply("SHA-256")
	for _, method := range []string{"HEAD", "POST"} {
		if a := Send(t, d.addr, Request(method, "/door", r.header())); a.Status != http.StatusUnauthorized || d.rec.Last(t).Reason != core.ReasonWrongSecret {
			t.Errorf("%s: %d, %s", method, a.Status, d.rec.Last(t).Reason)
		}
		own := d.reply("SHA-256").signed("SHA-256", "bob", "open sesame", method)
		if a := Send(t, d.addr, Request(method, "/door", own.header())); a.Status != http.StatusOK {
			t.Errorf("%s of its own: %d", method, a.Status)
		}
	}
	d.admits("bob", r.header())
}
