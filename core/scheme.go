package core

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
)

// scheme is an authenticator with the contents of its Scheme.
type scheme struct {
	Authenticator
	name      string
	byBrowser bool                                      // a browser adds the credentials by itself
	attempts  []func(Request) (account string, ok bool) // empty if nothing can be guessed
	inform    func(Request, *Principal, error) []Field  // nil if it adds no fields
	vary      []string                                  // in canonical form
	fallback  []challenge.Challenge                     // sent if it returns none for a 401
	usual     admission                                 // of requests that its credentials let in
}

func (g *Guard) addScheme(a Authenticator) error {
	if isnil.Value(a) {
		return errors.New("is nil")
	}
	says, err := schemeOf(a)
	if err != nil {
		return err
	}
	for _, s := range g.schemes {
		if strings.EqualFold(s.name, says.Name) {
			return fmt.Errorf("scheme %s is given twice: let one authenticator verify all of its credentials, as jwtauth.NewIssuers combines issuers", says.Name)
		}
	}
	c, err := challenge.New(says.Name, challenge.Param{Name: "realm", Value: "restricted"})
	if err != nil {
		return err
	}
	s := scheme{
		Authenticator: a,
		name:          says.Name,
		byBrowser:     says.Sender == SentByBrowser,
		inform:        says.Inform,
		vary:          says.Vary,
		fallback:      []challenge.Challenge{c},
	}
	if err := s.protects(nil, a, &says, maxWrappers); err != nil {
		return err
	}
	g.informs = g.informs || s.inform != nil
	g.schemes = append(g.schemes, s)
	return nil
}

// schemeOf returns the Scheme of a, with Vary as a copy in canonical form.
func schemeOf(a Authenticator) (Scheme, error) {
	says := a.Scheme()
	if _, err := challenge.New(says.Name); err != nil {
		return says, fmt.Errorf("%T: %w", a, err)
	}
	says.Vary = slices.Clone(says.Vary)
	for i, name := range says.Vary {
		if !challenge.IsToken(name) {
			return says, fmt.Errorf("scheme %s of %T: Vary names %q, which is not a header field name", says.Name, a, name)
		}
		says.Vary[i] = http.CanonicalHeaderKey(name)
	}
	switch {
	case says.Sender != SentByClient && says.Sender != SentByBrowser:
		return says, fmt.Errorf("scheme %s of %T does not say who sends its credentials: set Sender in what Scheme returns to core.SentByBrowser, or to core.SentByClient if no browser adds them by itself", says.Name, a)
	case says.Attempt == nil:
		return says, fmt.Errorf("scheme %s of %T does not say whether its credentials can be guessed: set Attempt in what Scheme returns, to core.Unguessable if they cannot", says.Name, a)
	}
	return says, nil
}

// maxWrappers is the maximum number of wrappers around a part; more are taken to
// mean that a part wraps itself.
const maxWrappers = 32

// protects checks that s, assembled from the Scheme of the outermost wrapper,
// protects no less than a, whose Scheme is says and which is inside wrapper, and
// than what a wraps. It collects the functions that recognize attempts.
func (s *scheme) protects(wrapper, a Authenticator, says *Scheme, depth int) error {
	if depth == 0 {
		return fmt.Errorf("scheme %s: %T wraps itself", s.name, a)
	}
	lacks := func(what, remedy string) error {
		return fmt.Errorf("scheme %s: %T wraps %T, %s: %s; embed the wrapped authenticator and change only what differs in what its Scheme returns",
			s.name, wrapper, a, what, remedy)
	}
	if says.Sender == SentByBrowser && !s.byBrowser {
		return lacks("whose credentials browsers send by themselves, and says SentByClient", "that would disable the check for requests from other sites")
	}
	if says.Inform != nil && s.inform == nil {
		return lacks("which informs clients by header fields, and has no Inform", "they would not be sent")
	}
	for _, name := range says.Vary {
		if !slices.Contains(s.vary, name) {
			return lacks("which reads "+name+", and does not have that in Vary", "caches would serve one user's answers to others")
		}
	}
	if !isUnguessable(says.Attempt) {
		if wrapper != nil && len(s.attempts) == 0 {
			return lacks("whose credentials can be guessed, and says Unguessable", "guesses would not be counted")
		}
		s.attempts = append(s.attempts, says.Attempt)
	}
	for _, inner := range wrapped.Inside(a) {
		inside, err := schemeOf(inner)
		if err == nil {
			err = s.protects(a, inner, &inside, depth-1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isUnguessable reports whether attempt is [Unguessable]. Functions cannot be
// compared, but the code of one that captures nothing is its own.
func isUnguessable(attempt func(Request) (account string, ok bool)) bool {
	return reflect.ValueOf(attempt).Pointer() == reflect.ValueOf(Unguessable).Pointer()
}

// guess returns the account that r has guessable credentials for. The wrapped
// scheme may recognize an attempt that its wrapper does not.
func (s *scheme) guess(r Request) (account string, ok bool) {
	for _, attempt := range s.attempts {
		if account, ok = attempt(r); ok {
			return account, true
		}
	}
	return "", false
}
