package jwttest

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var formSemantics = []testCase{
	{"E20 one spelling for each token", oneSpelling},
	{"E21 size is capped before anything is decoded", cappedSize},
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
