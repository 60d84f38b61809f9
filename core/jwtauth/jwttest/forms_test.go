package jwttest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

var tokenFormCases = []testCase{
	{"E17 no critical extension is understood", criticalExtensions},
	{"E18 no member twice", membersTwice},
	{"E19 member names are exact", exactNames},
	{"E20 one of sixteen last characters", lastCharacter},
	{"E22 five parts are no JWS", encrypted},
	{"E20 one spelling for each token", oneSpelling},
	{"E21 size is capped before anything is decoded", cappedSize},
}

// criticalExtensions: RFC 7515 §4.1.11, RFC 7797 §7.
func criticalExtensions(t *testing.T, b bench) {
	s := b.serve(t)
	for path, alg := range map[string]string{onPublic: "ES256", onSecret: "HS256"} {
		for _, members := range []string{
			`"crit":["exp"],"exp":1800000060`, `"crit":["x"]`, `"crit":["x"],"x":1`, `"crit":[]`, `"crit":"exp"`, `"crit":null`,
			`"crit":{}`, `"crit":["alg"]`, `"crit":["crit"]`, `"crit":["b64"]`, `"b64":false`, `"b64":false,"crit":["b64"]`, `"b64":true`,
		} {
			s.try(path, attempt{members, s.keys.token(t, alg, header(alg, members), claims()), core.ReasonMalformed})
		}
		s.try(path, attempt{"x", s.keys.token(t, alg, header(alg, `"x":1`), claims()), ""})
	}
}

// membersTwice: RFC 7515 §4, RFC 7519 §4, at every depth and in every spelling.
func membersTwice(t *testing.T, b bench) {
	s := b.serve(t)
	for _, members := range []string{
		`"alg":"ES256"`, `"\u0061lg":"none"`, `"kid":"key-ES256"`, `"typ":"JWT"`, `"x":1,"x":1`, `"jwk":{"kty":"EC","kty":"oct"}`,
	} {
		s.try(onPublic, attempt{"header " + members, s.keys.token(t, "ES256", header("ES256", members), claims()), core.ReasonMalformed})
	}
	good := claims()[1:]
	for _, members := range []string{
		`"sub":"admin"`, `"sub":"alice"`, `"s\u0075b":"admin"`, `"exp":1`, `"iss":"x"`, `"aud":"x"`, `"x":1,"x":2`,
		`"x":{"a":1,"a":2}`, `"x":[{"a":1,"\u0061":2}]`,
	} {
		for _, text := range []string{"{" + members + "," + good, strings.TrimSuffix(claims(), "}") + "," + members + "}"} {
			s.try(onPublic, attempt{text, s.keys.token(t, "ES256", header("ES256"), text), core.ReasonMalformed})
		}
	}
}

// exactNames: RFC 7519 §4.1: names are case-sensitive. encoding/json folds case, and
// matches U+017F with s.
func exactNames(t *testing.T, b bench) {
	s := b.serve(t)
	for _, c := range []struct{ name, exact string }{
		{"SUB", "sub"}, {"Sub", "sub"}, {"ſub", "sub"}, {`\u017fub`, "sub"}, {"EXP", "exp"}, {"Exp", "exp"}, {" sub", "sub"}, {"sub\\u0000", "sub"},
	} {
		value := `"admin"`
		if c.exact == "exp" {
			value = fmt.Sprint(noon + 60)
		}
		member := `"` + c.name + `":` + value
		s.try(onPublic,
			attempt{c.name + " behind", s.keys.good(t, "ES256", member), ""},
			attempt{c.name + " in front", s.keys.token(t, "ES256", header("ES256"), "{"+member+","+claims()[1:]), ""},
			attempt{c.name + " alone", s.keys.good(t, "ES256", `"`+c.exact+`"`, member), core.ReasonBadClaim})
	}
	for _, c := range []struct{ name, text string }{{"ISS", issuer}, {"iſſ", issuer}, {"AUD", audience}} {
		exact, reason := "iss", core.ReasonWrongIssuer
		if c.text == audience {
			exact, reason = "aud", core.ReasonWrongAudience
		}
		s.try(onPublic, attempt{c.name + " alone", s.keys.good(t, "ES256", `"`+exact+`"`, fmt.Sprintf("%q:%q", c.name, c.text)), reason})
	}
	s.try(onPublic,
		attempt{"ALG alone", s.keys.token(t, "ES256", `{"ALG":"ES256"}`, claims()), core.ReasonMalformed},
		attempt{"ALG beside alg", s.keys.token(t, "ES256", header("ES256", `"ALG":"none"`, `"KID":"x"`, `"Crit":["x"]`), claims()), ""})
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// lastCharacter: RFC 4648 §3.5. The last character of 64 bytes has four unused bits; a
// lax decoder accepts all sixteen values.
func lastCharacter(t *testing.T, b bench) {
	s := b.serve(t)
	token := s.keys.good(t, "ES256")
	last := strings.IndexByte(alphabet, token[len(token)-1])
	for stray := range 16 {
		reason := core.ReasonMalformed
		if stray == 0 {
			reason = ""
		}
		s.try(onPublic, attempt{fmt.Sprint("stray bits ", stray), token[:len(token)-1] + string(alphabet[last+stray]), reason})
	}
}

// encrypted: RFC 7516 §3.1. No part of a JWE is processed.
func encrypted(t *testing.T, b bench) {
	s := b.serve(t)
	for path, alg := range map[string]string{onPublic: "ES256", onSecret: "HS256"} {
		for _, head := range []string{
			`{"alg":"dir","enc":"A256GCM"}`, `{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}`,
			`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}`, header(alg), header(alg, `"enc":"A256GCM"`),
		} {
			first := base64url([]byte(head))
			s.try(path,
				attempt{head + " in five parts", first + ".AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", core.ReasonMalformed},
				attempt{head + " in five parts, directly", first + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", core.ReasonMalformed},
				attempt{head + " in four parts", first + ".AAAA.AAAA.AAAA", core.ReasonMalformed})
			if strings.HasPrefix(head, `{"alg":"`+alg) {
				continue
			}
			s.try(path, attempt{head + " in three parts", s.keys.token(t, alg, head, claims()), core.ReasonBadAlgorithm})
		}
		good := s.keys.good(t, alg)
		s.try(path, attempt{"a good token and two parts", good + ".AAAA.AAAA", core.ReasonMalformed}, attempt{"a good token", good, ""})
	}
}

// oneSpelling: RFC 7515 §2, §3.1 and §5.2, RFC 8725 §3.11.
func oneSpelling(t *testing.T, b bench) {
	s := b.serve(t)
	token := s.keys.good(t, "ES256")
	p := strings.Split(token, ".")
	es256 := func(text string) string { return signed(t, "ES256", s.keys.signing["ES256"], text) }
	head, body := base64url([]byte(header("ES256"))), base64url([]byte(claims()))
	for name, bad := range map[string]string{
		"one part":                    p[0],
		"two parts":                   p[0] + "." + p[1],
		"a dot behind":                token + ".",
		"a dot in front":              "." + token,
		"dots alone":                  "..",
		"no header":                   "." + p[1] + "." + p[2],
		"padded signature":            token + "=",
		"padded twice":                token + "==",
		"padding inside":              p[0] + "==." + p[1] + "." + p[2],
		"signed padding":              es256(head + "=." + body),
		"signed empty claims":         es256(head + "."),
		"signed empty header":         es256("." + body),
		"standard alphabet":           p[0] + "." + p[1] + ".+/" + p[2][2:],
		"one character too many":      p[0] + "." + p[1] + "." + p[2] + "AAA",
		"a space inside":              p[0] + ". " + p[1] + "." + p[2],
		"a tab inside":                p[0] + ".\t" + p[1] + "." + p[2],
		"two tokens":                  token + "," + token,
		"quoted":                      `"` + token + `"`,
		"percent-encoded":             strings.Replace(token, ".", "%2E", 1),
		"outside ASCII":               token + "\xc3\xa4",
		"JSON serialization":          `{"payload":"` + p[1] + `","protected":"` + p[0] + `","signature":"` + p[2] + `"}`,
		"header no UTF-8":             es256(unsigned("{\"alg\":\"ES256\",\"x\":\"\xff\"}", claims())),
		"claims no UTF-8":             es256(unsigned(header("ES256"), claims("\"sub\":\"a\xff\""))),
		"no UTF-8 behind an escape":   es256(unsigned(header("ES256"), claims("\"sub\":\"\\u0061\xff\""))),
		"half a surrogate pair":       es256(unsigned(header("ES256"), claims(`"sub":"\ud800"`))),
		"byte order mark":             es256(unsigned(header("ES256"), "\xef\xbb\xbf"+claims())),
		"something behind the claims": es256(unsigned(header("ES256"), claims()+`{"sub":"admin"}`)),
		"nested deeply":               es256(unsigned(header("ES256"), claims(`"x":`+strings.Repeat("[", 500)+strings.Repeat("]", 500)))),
	} {
		s.try(onPublic, attempt{name, bad, core.ReasonMalformed})
	}
	s.try(onPublic, attempt{"as it is", token, ""},
		attempt{"white space in the JSON", es256(unsigned("{ \"alg\":\r\n\"ES256\" }", " "+claims()+"\n")), ""})
}

// cappedSize: the verifier's own limit, small enough for every server.
func cappedSize(t *testing.T, b bench) {
	longest := b.keys.good(t, "ES256", `"x":"`+strings.Repeat("x", 600)+`"`)
	s := b.serve(t, jwtauth.WithMaxTokenSize(len(longest)))
	s.try(onPublic,
		attempt{"as long as allowed", longest, ""},
		attempt{"longer", b.keys.good(t, "ES256", `"x":"`+strings.Repeat("x", 601)+`"`), core.ReasonMalformed},
		attempt{"much longer", b.keys.good(t, "ES256", `"x":"`+strings.Repeat("x", 2000)+`"`), core.ReasonMalformed},
		attempt{"dots", strings.Repeat(".", 3000), core.ReasonMalformed},
		attempt{"letters", strings.Repeat("A", 3000), core.ReasonMalformed})
	if e := s.events.Last(t); !strings.Contains(e.Cause.Error(), "3000 bytes") {
		t.Errorf("cause %q does not give the size", e.Cause)
	}
}
