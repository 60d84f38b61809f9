package core

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/errtype"
)

// WithPseudonyms replaces personal data in events and in the guard's log lines with
// pseudonyms: HMAC-SHA-256 under key, which must be at least 32 random bytes and is
// copied. A value has the same pseudonym everywhere, so that lines about one person
// can still be correlated, but only a holder of the key can tell whose they are.
// docs/logs.md lists what is replaced.
//
// A pseudonym begins with an identifier of its key. A new key gives everyone new
// pseudonyms: keep the old key for as long as older lines must be attributable, and
// destroy it to make them anonymous.
//
// Observers can still get the principal itself with [PrincipalFrom].
func WithPseudonyms(key []byte) Option {
	return func(g *Guard) error {
		p, err := NewPseudonyms(key)
		if err != nil {
			return err
		}
		if g.set.pseudonyms {
			return errors.New("two keys for pseudonyms")
		}
		g.pseudonyms, g.set.pseudonyms = p, true
		return nil
	}
}

// Pseudonyms makes pseudonyms as [WithPseudonyms] does, for an application's own
// log lines. It is safe for concurrent use.
type Pseudonyms struct {
	hmac func() hash.Hash // a function, so that no format prints the key
	id   string           // of the key
}

// NewPseudonyms makes pseudonyms under key, at least 32 bytes, which is copied.
func NewPseudonyms(key []byte) (*Pseudonyms, error) {
	if len(key) < 32 {
		return nil, fmt.Errorf("key for pseudonyms: %d bytes: must be at least 32 random ones", len(key))
	}
	own := bytes.Clone(key)
	p := &Pseudonyms{hmac: func() hash.Hash { return hmac.New(sha256.New, own) }}
	p.id = p.mac("key identifier", "")[:4]
	return p, nil
}

// Pseudonym returns value as it appears in events of the gate's guard: its
// pseudonym with [WithPseudonyms], otherwise value itself. It is for log lines
// about requests that never reached the gate.
func (t *Gate) Pseudonym(value string) string {
	if p := t.guard.pseudonyms; p != nil {
		return p.Of(value)
	}
	return value
}

// logged returns a method and a reason as they appear in the guard's log lines.
func (g *Guard) logged(method string, reason Reason) (string, string) {
	if p := g.pseudonyms; p != nil {
		e := Event{Method: method, Reason: reason}
		p.event(&e)
		method, reason = e.Method, e.Reason
	}
	return printable(method), printable(string(reason))
}

// mac returns the HMAC of value. purpose separates key identifiers from pseudonyms.
func (p *Pseudonyms) mac(purpose, value string) string {
	h := p.hmac()
	_, _ = h.Write([]byte(purpose + "\x00" + value)) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}

// Of returns the pseudonym of value: "~", four hexadecimal digits for the key, a
// dot and 96 bits in hexadecimal. The pseudonym of "" is "".
func (p *Pseudonyms) Of(value string) string {
	if value == "" {
		return ""
	}
	return "~" + p.id + "." + p.mac("value", value)[:24]
}

// event replaces possibly personal data in e.
func (p *Pseudonyms) event(e *Event) {
	e.PrincipalID = p.Of(e.PrincipalID)
	e.Resource, e.Rule = p.path(e.Route, e.Resource), p.rule(e.Rule)
	if !isUsualMethod(e.Method) {
		if e.Action == e.Method {
			e.Action = p.Of(e.Action)
		}
		e.Method = p.Of(e.Method)
	}
	if !isRandomID(e.RequestID) {
		e.RequestID = p.Of(e.RequestID)
	}
	if !isCode(string(e.Reason)) {
		e.Reason = Reason(p.Of(string(e.Reason)))
	}
	if e.Cause != nil {
		e.Cause = p.cause(e.Cause)
	}
	e.pseudonyms = p
}

// maxSegments bounds the pseudonyms of one path: each costs about a microsecond, and a
// path of 8 KiB has 4096 segments.
const maxSegments = 32

// path keeps the segments of a path that are literal in the route. All from
// [maxSegments] on become one pseudonym.
func (p *Pseudonyms) path(route, path string) string {
	if path == "" || path == route {
		return path
	}
	pattern, segments := strings.Split(route, "/"), strings.SplitN(path, "/", 1+maxSegments) // the first is empty
	for i, s := range segments {
		if i >= len(pattern) || s != pattern[i] {
			segments[i] = p.Of(s)
		}
	}
	return strings.Join(segments, "/")
}

// rule keeps places in policies, such as "policy.csv:12", and everything but the
// arguments in descriptions by package rule. Any other text is replaced.
func (p *Pseudonyms) rule(text string) string {
	if text == "" {
		return ""
	}
	if out, ok := p.call(text); ok {
		return out
	}
	return p.Of(text)
}

// call rewrites texts such as `rule.All(rule.Role("ann"), rule.MaxAge(5m0s))`, with
// the quoted arguments replaced.
func (p *Pseudonyms) call(text string) (string, bool) {
	var b strings.Builder
	for text != "" {
		if text[0] == '"' {
			quoted, err := strconv.QuotedPrefix(text)
			if err != nil {
				return "", false
			}
			value, err := strconv.Unquote(quoted)
			if err != nil {
				return "", false
			}
			b.WriteString(strconv.Quote(p.Of(value)))
			text = text[len(quoted):]
			continue
		}
		n := strings.IndexAny(text, `"(), `)
		if n < 0 {
			n = len(text)
		}
		switch word := text[:n]; {
		case n == 0:
			n = 1
		case !isRuleName(word) && !isNumber(word) && !isPlace(word):
			return "", false
		}
		b.WriteString(text[:n])
		text = text[n:]
	}
	return b.String(), true
}

// cause keeps the kind of err and replaces its text with a pseudonym.
func (p *Pseudonyms) cause(err error) error {
	kind := "error"
	var bad *CredentialError
	var panicked *PanicError
	switch {
	case errors.As(err, &panicked):
		kind = "panic"
		panicked = &PanicError{Value: p.Of(fmt.Sprint(panicked.Value)), Stack: panicked.Stack}
	case errors.As(err, &bad):
		kind = string(bad.Reason)
		if !isCode(kind) {
			kind = p.Of(kind)
		}
	case errtype.In[*LimitError](err):
		kind = "too many attempts"
	case errtype.In[*UnavailableError](err):
		kind = "unavailable"
	case errtype.In[*InternalError](err):
		kind = "internal error"
	}
	return &pseudonymCause{text: kind + ": " + p.Of(err.Error()), err: err, panicked: panicked}
}

// pseudonymCause is a cause whose text is replaced. It can be compared with
// sentinel errors, but does not expose the original error.
type pseudonymCause struct {
	text     string
	err      error
	panicked *PanicError
}

func (c *pseudonymCause) Error() string        { return c.text }
func (c *pseudonymCause) Is(target error) bool { return errors.Is(c.err, target) }

// As finds only a panic, whose stack holds no values.
func (c *pseudonymCause) As(target any) bool {
	p, ok := target.(**PanicError)
	if ok && c.panicked != nil {
		*p = c.panicked
		return true
	}
	return false
}

// Format keeps %+v and %#v from printing the error itself.
func (c *pseudonymCause) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.text)) }

func isUsualMethod(method string) bool { return slices.Contains(usualMethods[:], method) }

var usualMethods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", ""}

// ownMethod returns a method that shares no memory with the request: net/http's is a part
// of the request line, which an observer that keeps the event would keep with it.
func ownMethod(method string) string {
	if i := slices.Index(usualMethods[:], method); i >= 0 {
		return usualMethods[i]
	}
	return strings.Clone(method)
}

// only reports whether s is not empty and ok accepts all its bytes.
func only(s string, ok func(c byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// isCode reports whether s is a short code, such as "wrong_secret".
func isCode(s string) bool {
	return len(s) <= 64 && only(s, func(c byte) bool { return isLower(c) || isDigit(c) || c == '_' })
}

// isNumber reports whether s is a number or a duration.
func isNumber(s string) bool {
	return only(s, func(c byte) bool { return isDigit(c) || strings.IndexByte("hmsuµn.-", c) >= 0 }) && strings.ContainsAny(s, "0123456789")
}

// isPlace reports whether s is a line of a policy file.
func isPlace(s string) bool {
	file, line, ok := strings.Cut(s, ":")
	return ok && strings.Contains(file, ".") && only(line, isDigit) &&
		only(file, func(c byte) bool {
			return isLower(c) || isUpper(c) || isDigit(c) || strings.IndexByte("._-/\\", c) >= 0
		})
}

// isRuleName reports whether s is a function of package rule.
func isRuleName(s string) bool {
	name, ok := strings.CutPrefix(s, "rule.")
	return ok && only(name, func(c byte) bool { return isLower(c) || isUpper(c) })
}

// isRandomID reports whether s looks like a UUID or 128 bits in hexadecimal, as no
// name does.
func isRandomID(s string) bool {
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = strings.ReplaceAll(s, "-", "")
	}
	if len(s) != 32 {
		return s == ""
	}
	_, err := hex.DecodeString(s)
	return err == nil
}
