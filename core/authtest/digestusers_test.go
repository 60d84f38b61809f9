package authtest

import (
	"bytes"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/digest"
)

// digestUser: RFC 7616 §3.4 and §4.
func digestUser(t *testing.T, f Framework) {
	user := "J\u00e4s\u00f8n Doe"
	d := newDigestDoor(t, f, "r", []string{user})
	own := func() digestReply {
		return d.reply("SHA-256").with("username", user).signed("SHA-256", user, "open sesame", "GET")
	}
	extended := func(value string) digestReply { return own().with("username", "").with("username*", value) }
	d.admits(user, own().header())
	d.admits(user, extended("UTF-8''J%C3%A4s%C3%B8n%20Doe").header())
	d.admits(user, extended("utf-8'en'J%c3%a4s%c3%b8n%20Doe").with("userhash", "false").header())
	for _, value := range []string{"ISO-8859-1''J%E4s%F8n%20Doe", "UTF-8''J%E4s", "UTF-8'bob", "UTF-8''", "UTF-8''%", "bob"} {
		d.refusesFor(core.ReasonMalformed, extended(value))
	}
	d.refusesFor(core.ReasonMalformed, own().with("username", "J\xe4s\xf8n Doe"))
	d.refusesFor(core.ReasonMalformed, extended("UTF-8''bob").with("userhash", "true"))
	both := d.reply("SHA-256").with("username*", "UTF-8''bob")
	d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, both.header())
}

// digestUserHash: RFC 7616 §3.4.4. H(A1) is still computed from the name.
func digestUserHash(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", nil, digest.WithUserHash(), digest.WithMoreAlgorithms(digest.SHA512256))
	for _, algorithm := range []string{"SHA-256", "SHA-512-256"} {
		r := d.reply(algorithm).with("username", digestSum(algorithm, "bob:r")).with("userhash", "true")
		d.refusesFor(core.ReasonWrongSecret, r.signed(algorithm, r["username"], "open sesame", "GET"))
		d.admits("bob", r.header())
	}
	d.refusesFor(core.ReasonUnknownPrincipal, d.reply("SHA-256").with("username", digestSum("SHA-256", "eve:r")).with("userhash", "true"))
	d.refusesFor(core.ReasonUnknownPrincipal, d.reply("SHA-256").with("username", digestSum("SHA-512-256", "bob:r")).with("userhash", "true"))
	d.refusesFor(core.ReasonMalformed, d.reply("SHA-256").with("userhash", "true"))
	d.admits("bob", d.reply("SHA-256").header())
	without := newDigestDoor(t, f, "r", nil)
	without.refusesFor(core.ReasonMalformed, without.reply("SHA-256").with("username", digestSum("SHA-256", "bob:r")).with("userhash", "true"))
}

// digestSecrecy: RFC 7616 §3.4.4, §5.
func digestSecrecy(t *testing.T, f Framework) {
	d := newDigestDoor(t, f, "r", []string{"raw-name"})
	known := d.reply("SHA-256").with("username", "raw-name")
	wrong := d.refusesFor(core.ReasonWrongSecret, known)
	for _, user := range []string{"raw-name-2", "RAW-NAME", "raw-name\u00a0"} {
		a := d.refusesFor(core.ReasonUnknownPrincipal, d.reply("SHA-256").with("username", user))
		if diff := difference(withoutNonce(wrong), withoutNonce(a)); diff != "" {
			t.Errorf("%s: %s", user, diff)
		}
	}
	signed := known.signed("SHA-256", "raw-name", "open sesame", "GET")
	d.refusesFor(core.ReasonMalformed, signed.with("response", strings.ToUpper(signed["response"])))
	d.refusesFor(core.ReasonMalformed, signed.with("username", "raw-name\xff"))
	d.refusesFor(core.ReasonMalformed, signed.with("username", "raw-name\u0085"))
	d.get(signed.with("username*", "UTF-8''raw-name").header())
	var log bytes.Buffer
	for _, e := range d.rec.Events() {
		core.LogObserver(slog.New(slog.NewTextHandler(&log, nil))).Observe(t.Context(), e)
	}
	for _, secret := range []string{"raw-name", "RAW-NAME", signed["response"], "sesame", digestSum("SHA-256", "raw-name:r:open sesame")} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, log.String())
		}
	}
}

var nonceParam = regexp.MustCompile(`nonce="[^"]*"`)

// withoutNonce returns a with all nonces replaced by one value.
func withoutNonce(a Answer) Answer {
	a.Header = a.Header.Clone()
	for i, line := range a.Header["Www-Authenticate"] {
		a.Header["Www-Authenticate"][i] = nonceParam.ReplaceAllString(line, `nonce=""`)
	}
	return a
}

// digestBesideOthers: a request is authenticated once, though it passes two gates, and each
// scheme's challenges are on lines of their own.
func digestBesideOthers(t *testing.T, f Framework) {
	a, err := digest.New("r", digestUsers{"bob"}, digest.WithMoreAlgorithms(digest.MD5))
	if err != nil {
		t.Fatal(err)
	}
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, tokens{}), a, newBasic(t, "r")}, core.WithAuthorizer(only("bob")))
	door := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g}, Gate{Kind: "Authorize", Guard: g})
	d := &digestDoor{door, rec, nil}
	cs, err := d.get().challenges()
	if err != nil || len(cs) != 4 {
		t.Fatalf("challenges %v, %v", cs, err)
	}
	for i, want := range []string{"Bearer", "Digest", "Digest", "Basic"} {
		if cs[i].Scheme() != want {
			t.Errorf("challenge %d: %s", i+1, cs[i])
		}
	}
	d.admits("bob", d.reply("SHA-256").header())
	d.admits("bob", d.reply("MD5").header())
	d.admits("bob", "Authorization: Basic "+sesame)
	d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, "Authorization: Bearer expired")
	d.refusesFor(core.ReasonWrongSecret, d.reply("SHA-256").with("cnonce", "x"))
}
