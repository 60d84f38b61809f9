package digest

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// FuzzAuthenticate: every field is refused, unless its parsed parameters are a valid
// response by the formula.
func FuzzAuthenticate(f *testing.F) {
	key := WithNonceKey([]byte(strings.Repeat("k", 32)))
	store := storeOf(f, true, "bob", `a"b\c`)
	a := mustNew(f, store, key, WithUserHash(), WithMoreAlgorithms(MD5, SHA512256))
	for _, algorithm := range []Algorithm{SHA256, SHA512256, MD5} {
		m := answers(f, a, algorithm)
		f.Add(m.String())
		f.Add(m.with("username", "").with("username*", "UTF-8''b%6Fb").String())
		f.Add(m.with("username", HashUser(algorithm, "bob", realm)).with("userhash", "true").String())
		f.Add(m.with("uri", "http://app.example/door?a=1").String())
		f.Add(m.with("username", `a"b\c`).String())
	}
	for _, s := range []string{
		"", "Digest", "Digest ", "Digest\tusername=bob", "Digest a", "Digest a=", `Digest a="`, "Digest ,,", "Digest dTpw==",
		`Digest username="bob", username*=UTF-8''bob`, `Digest nc=00000001, nc=00000002`, `digest qop="auth", cnonce=x, uri=/, nc=ffffffff`,
		`Digest username*=UTF-8'%'%, qop=auth, cnonce=x, uri=x, nc=00000001`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		// A new authenticator with the same key, started before the seeds' nonces,
		// accepts each of them once.
		start := a.start
		a := mustNew(t, store, key, WithUserHash(), WithMoreAlgorithms(MD5, SHA512256))
		a.counts = newCounts(1, defaultLifetime, start.UnixNano())
		r := get(field)
		account, ok := a.Scheme().Attempt(r)
		p, err := a.Authenticate(t.Context(), r)
		if ok == errors.Is(err, core.ErrNoCredentials) {
			t.Errorf("an attempt: %v, but %v", ok, err)
		}
		if err != nil {
			var bad *core.CredentialError
			if !errors.Is(err, core.ErrNoCredentials) && !errors.Is(err, core.ErrAmbiguousCredentials) && !errors.As(err, &bad) {
				t.Errorf("error %v is not the client's fault", err)
			}
			return
		}
		c, err := challenge.ParseCredentials(field)
		if err != nil || account == "" {
			t.Fatalf("passed as %s: %v, account %q", p.ID(), err, account)
		}
		value := func(name string) string { v, _ := c.Param(name); return v }
		algorithm := Algorithm(strings.ToUpper(value("algorithm")))
		if algorithm == "" {
			algorithm = MD5
		}
		want := algorithm.Response(hashA1(t, algorithm, p.ID(), secret),
			Input{"GET", value("uri"), value("nonce"), value("nc"), value("cnonce")})
		if value("response") != want || value("qop") != "auth" || value("realm") != realm {
			t.Errorf("passed as %s: %s", p.ID(), field)
		}
	})
}

// FuzzLoad: loaded entries are found, and findings contain no hash.
func FuzzLoad(f *testing.F) {
	hash := strings.Repeat("0a", 32)
	for _, s := range []string{
		"", "#\n\r\n", "bob:" + realm + ":" + hash, "bob:" + realm + ":" + hash + ":SHA-512-256\n", "bob:" + realm + ":" + hash[:32],
		"bob:other:" + hash, "bob", "\uFEFFbob:" + realm + ":" + hash, ":::", "bob:" + realm + ":" + hash + "\nbob:" + realm + ":" + hash,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := newFile(t, WithMD5())
		if err := file.Load("users", []byte(text)); err != nil {
			if _, err := file.FindUser(t.Context(), realm, "bob", SHA256); errors.Is(err, ErrUnknownUser) {
				t.Error("content with findings is in use")
			}
			return
		}
		for k, e := range file.table.Load().users {
			found, err := file.FindUserHash(t.Context(), realm, HashUser(k.algorithm, k.user, realm), k.algorithm)
			if err != nil || found != e || !isHex(e.A1, k.algorithm.hexLen()) || e.Principal.ID() != k.user || challenge.CheckUser(k.user) != nil {
				t.Errorf("%q %s: %v %v %v", k.user, k.algorithm, e, found, err)
			}
			if !strings.Contains(text, k.user+":"+realm+":"+e.A1) {
				t.Errorf("%q has a hash that is not in the text", k.user)
			}
		}
	})
}
