package core

import (
	"errors"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// hasNone reports whether err says that there were no credentials, and nothing
// else: credentials that were sent and failed make nobody anonymous.
func hasNone(err error) bool {
	if err == nil || err == ErrNoCredentials { // the common cases, kept cheap
		return err != nil
	}
	var bad *CredentialError
	return errors.Is(err, ErrNoCredentials) && !isFailure(err) && !errors.As(err, &bad) &&
		!errors.Is(err, ErrAmbiguousCredentials)
}

// refuse is the denial for what scheme number failed returned; -1 for none.
func (g *Guard) refuse(r Request, failed int, err error) *Denial {
	if hasNone(err) {
		d := newDenial(Unauthenticated, CodeAuthenticationRequired, ReasonNoCredentials, nil)
		d.Challenges = g.challenges(r, failed, err)
		return d
	}
	var bad *CredentialError
	switch {
	case isFailure(err):
		return g.failure(err)
	case errors.Is(err, ErrAmbiguousCredentials):
		d := newDenial(Ambiguous, CodeInvalidRequest, ReasonAmbiguous, err)
		d.Challenges = g.naming(d.Code, r, err)
		return d
	case errors.As(err, &bad):
		code := bad.Code
		if code == "" {
			code = CodeInvalidCredentials
		}
		d := newDenial(Unauthenticated, code, bad.Reason, err)
		d.Challenges = g.challenges(r, failed, err)
		return d
	default:
		return g.failure(err)
	}
}

// challenges are every scheme's for a 401; scheme number failed is told why.
func (g *Guard) challenges(r Request, failed int, err error) []challenge.Challenge {
	var all []challenge.Challenge
	for i, s := range g.schemes {
		own := ErrNoCredentials
		if i == failed {
			own = err
		}
		cs := s.Challenges(r, own)
		if len(cs) == 0 {
			cs = s.fallback
		}
		if len(g.schemes) == 1 {
			return cs
		}
		all = append(all, cs...)
	}
	return all
}

// isFailure reports whether a part of the program failed, whatever else the
// error says of the credentials: an outage logs nobody out.
func isFailure(err error) bool {
	var internal *InternalError
	var unavailable *UnavailableError
	return errors.As(err, &internal) || errors.As(err, &unavailable)
}

// naming are the challenges of all schemes for err that name code as their
// error. Any other would ask for new credentials, which are not what is wrong.
func (g *Guard) naming(code string, r Request, err error) []challenge.Challenge {
	var named []challenge.Challenge
	for _, s := range g.schemes {
		for _, c := range s.Challenges(r, err) {
			if v, _ := c.Param("error"); v == code {
				named = append(named, c)
			}
		}
	}
	return named
}

// failure is the denial for an error that says nothing about the client.
func (g *Guard) failure(err error) *Denial {
	var internal *InternalError
	if errors.As(err, &internal) {
		return newDenial(Faulty, CodeInternal, ReasonInternal, err)
	}
	d := newDenial(Unavailable, CodeUnavailable, ReasonUnavailable, err)
	d.RetryAfter = g.retryAfter
	var u *UnavailableError
	if errors.As(err, &u) && u.RetryAfter > 0 {
		d.RetryAfter = u.RetryAfter
	}
	return d
}

// forbid is the denial for a known principal (RFC 9110 §15.5.4).
func (g *Guard) forbid(r Request, dec Decision) *Denial {
	reason := dec.Reason
	if reason == "" {
		reason = ReasonDenied
	}
	d := newDenial(Forbidden, CodeForbidden, reason, nil)
	if len(dec.Scopes) > 0 {
		d.Code, d.Message = CodeInsufficientScope, messages[CodeInsufficientScope]
		d.Challenges = g.naming(d.Code, r, &ScopeError{Scopes: dec.Scopes})
	}
	if dec.Code != "" {
		d.Code = dec.Code
	}
	if dec.Message != "" {
		d.Message = dec.Message
	}
	return d
}
