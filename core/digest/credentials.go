package digest

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// credentials holds what a client sent, checked only for form.
type credentials struct {
	user      string // name, or its hash
	hashed    bool
	realm     string
	algorithm string
	opaque    string
	response  string
	count     uint32
	input     Input
}

// parseCredentials parses the Authorization field of r. Its errors never quote a
// value that the client sent.
func parseCredentials(r core.Request) (credentials, error) {
	field, n := r.Header("Authorization")
	if n == 0 {
		return credentials{}, core.ErrNoCredentials
	}
	if n > 1 {
		return credentials{}, fmt.Errorf("digest: %w: %d Authorization lines", core.ErrAmbiguousCredentials, n)
	}
	name, _, ok := challenge.Split(field)
	switch {
	case !strings.EqualFold(name, scheme):
		return credentials{}, core.ErrNoCredentials
	case !ok:
		return credentials{}, malformed("the scheme must be followed by a space")
	case len(field) > MaxBytes:
		return credentials{}, malformed("Authorization field longer than 16 KiB")
	}
	parsed, err := challenge.ParseCredentials(field)
	if err != nil {
		return credentials{}, refused(core.ReasonMalformed, fmt.Errorf("digest: %w", err))
	}
	c, err := parameters(parsed.Params)
	c.input.Method = r.Method()
	return c, err
}

// parameters sorts params and validates each (RFC 7616 §3.4). Unknown ones are
// ignored, as §3.3 requires.
func parameters(params []challenge.Param) (credentials, error) {
	var c credentials
	var name, extended *challenge.Param
	var qop, userhash string
	for i, p := range params {
		switch strings.ToLower(p.Name) {
		case "username":
			name = &params[i]
		case "username*":
			extended = &params[i]
		case "realm":
			c.realm = p.Value
		case "nonce":
			c.input.Nonce = p.Value
		case "uri":
			c.input.URI = p.Value
		case "response":
			c.response = p.Value
		case "algorithm":
			c.algorithm = p.Value
		case "cnonce":
			c.input.ClientNonce = p.Value
		case "opaque":
			c.opaque = p.Value
		case "qop":
			qop = p.Value
		case "nc":
			c.input.Count = p.Value
		case "userhash":
			userhash = p.Value
		}
	}
	switch {
	case qop != qopAuth:
		return c, malformed("qop is not auth")
	case c.input.ClientNonce == "":
		return c, malformed("no cnonce")
	case c.input.URI == "":
		return c, malformed("no uri")
	}
	if err := c.parseCount(); err != nil {
		return c, err
	}
	return c, c.parseUser(name, extended, userhash)
}

// parseCount parses nc, 8LHEX, which counts from 1.
func (c *credentials) parseCount() error {
	if !isHex(c.input.Count, 8) {
		return malformed("nc is not 8 lower-case hex digits")
	}
	n, err := strconv.ParseUint(c.input.Count, 16, 32)
	if err != nil || n == 0 {
		return malformed("nc is 0")
	}
	c.count = uint32(n)
	return nil
}

// parseUser parses username or username*, exactly one of which must be present; the
// latter is for names, not for hashes (RFC 7616 §3.4, §3.4.4).
func (c *credentials) parseUser(name, extended *challenge.Param, userhash string) error {
	switch {
	case name != nil && extended != nil:
		return fmt.Errorf("digest: %w: username and username*", core.ErrAmbiguousCredentials)
	case strings.EqualFold(userhash, "true"):
		c.hashed = true
	case userhash != "" && !strings.EqualFold(userhash, "false"):
		return malformed("userhash is neither true nor false")
	}
	user := ""
	switch {
	case name != nil:
		user = name.Value
	case extended == nil:
		return malformed("no username")
	case c.hashed:
		return malformed("userhash with username*")
	default:
		var ok bool
		if user, ok = extValue(*extended); !ok {
			return malformed("username* is not an extended value in UTF-8")
		}
	}
	switch {
	case user == "" || len(user) > challenge.MaxUserBytes:
		return malformed("username is empty or longer than 255 bytes")
	case !utf8.ValidString(user):
		return malformed("username is not valid UTF-8")
	case strings.ContainsFunc(user, unicode.IsControl):
		return malformed("control character in username")
	}
	c.user = user
	return nil
}

// extValue decodes an ext-value in UTF-8 (RFC 8187 §3.2.1), which is never quoted
// and consists only of attr-chars and percent-encoding.
func extValue(p challenge.Param) (string, bool) {
	charset, rest, found := strings.Cut(p.Value, "'")
	language, text, closed := strings.Cut(rest, "'")
	if !p.Bare || !found || !closed || !strings.EqualFold(charset, "UTF-8") || strings.ContainsAny(language, "%*") {
		return "", false
	}
	if strings.ContainsAny(text, "*'") { // a token has no other characters that an attr-char is not
		return "", false
	}
	decoded, err := url.PathUnescape(text)
	return decoded, err == nil
}

// malformed returns the error for malformed credentials.
func malformed(what string) error {
	return refused(core.ReasonMalformed, errors.New("digest: "+what))
}

// refused returns the error for a 401. All refusals except that of a stale nonce
// look the same to the client, so that none reveals whether a user exists.
func refused(reason core.Reason, cause error) error {
	return &core.CredentialError{Reason: reason, Code: core.CodeInvalidCredentials, Err: cause}
}
