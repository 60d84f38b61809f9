package rule

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// maxCode is the maximum length of a public code in bytes.
const maxCode = 64

// reserved lists the codes whose meaning the guard defines. In a rule's refusal
// they would mislead the client, for instance into refreshing a valid token.
var reserved = [...]string{
	core.CodeAuthenticationRequired, core.CodeInvalidCredentials, core.CodeInvalidToken,
	core.CodeInvalidRequest, core.CodeAmbiguousPath, core.CodeInsufficientScope,
	core.CodeStepUp, core.CodeCrossSite, core.CodeTooManyAttempts,
	core.CodeUnavailable, core.CodeInternal,
}

// Public returns r with a stable code and a message for the client when it refuses,
// in place of "forbidden" and a generic text. The decision, its reason for
// operators and its errors are those of r.
//
// With a code of its own a refusal no longer asks for scopes or for stronger
// authentication: body and challenge would name different errors, and the one in
// the challenge may make a client get a new token. An empty code keeps r's code and
// what it asks for, and an empty message keeps r's message.
//
// A code is up to 64 ASCII letters, digits, "_", "-" and "."; codes with a meaning
// in other responses, such as [core.CodeInvalidToken], are not allowed. A message
// is valid UTF-8 without control characters. Public panics if either is invalid,
// both are empty, or r is nil.
func Public(code, message string, r core.Authorizer) core.Authorizer {
	if err := checkPublic(code, message); err != nil {
		panic("rule.Public: " + err.Error())
	}
	w := &public{parts: newParts("Public", []core.Authorizer{r}), code: code, message: message}
	w.label = label(describe(r)) // the public text does not change the rule
	return w
}

func checkPublic(code, message string) error {
	if code == "" && message == "" {
		return errors.New("neither code nor message given")
	}
	if len(code) > maxCode {
		return fmt.Errorf("code %q has %d bytes, more than %d", code, len(code), maxCode)
	}
	if i := ascii.Span(code, "_-."); i < len(code) {
		return fmt.Errorf("code %q: byte %#02x at offset %d is not an ASCII letter, digit, \"_\", \"-\" or \".\"", code, code[i], i)
	}
	for _, r := range reserved {
		if code == r {
			return fmt.Errorf("code %q is used by another kind of response: choose a code of your own, or an empty one to keep the rule's", code)
		}
	}
	if !utf8.ValidString(message) || strings.IndexFunc(message, unicode.IsControl) >= 0 {
		return fmt.Errorf("message %q is not valid UTF-8 or contains a control character", message)
	}
	return nil
}

type public struct {
	parts
	code, message string
}

func (r *public) Authorize(ctx context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	d, err := r.evaluate(ctx, r.rules[0], p, a)
	if err != nil || d.Allowed {
		return d, err
	}
	if r.code != "" {
		d.Code, d.Scopes, d.StepUp = r.code, nil, nil
	}
	if r.message != "" {
		d.Message = r.message
	}
	return d, nil
}

// AuthorizeAnonymous implements [core.AnonymousAuthorizer]. A refusal is 401
// with the guard's own text.
func (r *public) AuthorizeAnonymous(ctx context.Context, a core.Access) (core.Decision, error) {
	return r.evaluateAnonymous(ctx, r.rules[0], a)
}

// JudgesMethod implements [core.MethodAuthorizer].
func (r *public) JudgesMethod(method string) bool { return judgesMethod(r.rules[0], method) }
