// Package signinform is what endpoints for signing in and out share. It parses the bodies
// of sign-in requests: a form or a JSON object.
package signinform

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
)

// The usual names of password fields, as used in documentation.
const (
	User     = "user"
	Password = "password"
)

// MaxSize is the maximum size of a body in bytes. A name and a password of a
// kilobyte each fit easily, even with each byte percent-encoded.
const MaxSize = 16 << 10

// Form is the content of a body.
type Form struct {
	JSON   bool
	values map[string]string
}

// Get returns the named field, or "".
func (f *Form) Get(name string) string { return f.values[name] }

// Login returns the arguments of [core.Guard.SignIn]: the account that a failure is counted
// for, and a function that verifies the password with users. unread is the error of [Read],
// with which the attempt fails, for no account.
func (f *Form) Login(users basic.Verifier, unread error) (account string, verify func(context.Context) (*core.Principal, error)) {
	if unread != nil {
		return "", func(context.Context) (*core.Principal, error) { return nil, unread }
	}
	user := f.Get(User)
	return basic.FormAccount(users, user), func(ctx context.Context) (*core.Principal, error) {
		return basic.VerifyForm(ctx, users, user, f.Get(Password))
	}
}

// Read reads the named fields; others are ignored. A request without a body is an empty
// form.
//
// A malformed body is a [core.CredentialError] with [core.ReasonMalformed], and a duplicate
// field [core.ErrAmbiguousCredentials]. An incomplete body proves nothing about
// credentials: it is a [core.UnavailableError] with [core.ReasonClientGone]. Errors contain
// no values.
func Read(r core.Request, names ...string) (*Form, error) {
	b, ok := r.(core.BodyReader)
	if !ok {
		return nil, &core.InternalError{Err: fmt.Errorf("request of type %T has no body to read: implement core.BodyReader, as the requests of all adapters do", r)}
	}
	text, err := bounded.Read(b.Body(), MaxSize)
	var long *bounded.LengthError
	switch {
	case errors.As(err, &long):
		return nil, malformed("body " + long.Error())
	case err != nil:
		return nil, &core.UnavailableError{Reason: core.ReasonClientGone, Err: fmt.Errorf("sign-in: the body is incomplete: %w", err)}
	case len(text) == 0:
		return &Form{}, nil
	}
	field, n := r.Header("Content-Type")
	if n > 1 {
		return nil, fmt.Errorf("%w: %d Content-Type lines", core.ErrAmbiguousCredentials, n)
	}
	media, _, err := mime.ParseMediaType(field)
	if err != nil {
		return nil, malformed("missing or malformed Content-Type")
	}
	switch media {
	case "application/x-www-form-urlencoded":
		return urlencoded(string(text), names)
	case "application/json":
		return object(string(text), names)
	}
	return nil, malformed("Content-Type is neither application/x-www-form-urlencoded nor application/json")
}

func urlencoded(text string, names []string) (*Form, error) {
	all, err := url.ParseQuery(text)
	if err != nil {
		return nil, malformed("the form cannot be read")
	}
	f := &Form{values: map[string]string{}}
	for _, name := range names {
		switch values := all[name]; len(values) {
		case 0:
		case 1:
			f.values[name] = values[0]
		default:
			return nil, fmt.Errorf("%w: field %s is sent %d times", core.ErrAmbiguousCredentials, name, len(values))
		}
	}
	return f, nil
}

func object(text string, names []string) (*Form, error) {
	all, err := strictjson.Decode(text)
	if err != nil {
		return nil, malformed("JSON: " + err.Error())
	}
	f := &Form{JSON: true, values: map[string]string{}}
	for _, name := range names {
		value, there := all[name]
		s, isText := value.(string)
		if there && !isText {
			return nil, malformed("member " + name + " is not a string")
		}
		f.values[name] = s
	}
	return f, nil
}

func malformed(what string) error {
	return &core.CredentialError{Reason: core.ReasonMalformed, Code: core.CodeInvalidCredentials, Err: errors.New("sign-in: " + what)}
}

// Post returns an endpoint that accepts only POST; other methods get 405.
func Post(e core.Endpoint) core.Endpoint {
	return func(ctx context.Context, r core.Request) core.Response {
		if r.Method() == http.MethodPost {
			return e(ctx, r)
		}
		return core.Response{Status: http.StatusMethodNotAllowed, Fields: []core.Field{
			{Name: "Allow", Value: http.MethodPost}, {Name: "Cache-Control", Value: "no-store"},
		}}
	}
}

// Leaving is the Attempt of a [core.Scheme] for logging out. Every request is an attempt,
// so that a guard refuses those of other sites even if browsers leave the cookies out
// there (SameSite): the response would delete them.
func Leaving(core.Request) (account string, ok bool) { return "", true }

// Exit returns the gate of a guard for logging out. No limiter counts its attempts.
func Exit(g *core.Guard) (*core.Gate, error) {
	v, err := g.With(core.WithAttemptLimiter(unlimited{}))
	if err != nil {
		return nil, err
	}
	return v.Optional()
}

type unlimited struct{}

func (unlimited) Allow(context.Context, core.Request, string) error   { return nil }
func (unlimited) Report(context.Context, core.Request, string, error) {}
