package core

import (
	"errors"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// hasNone reports whether err says that there were no credentials, and nothing
// else: credentials that were sent and failed make nobody anonymous.
func hasNone(err error) bool {
	if err == nil || err == ErrNoCredentials { // the common cases, kept cheap
		return err != nil
	}
	if !errors.Is(err, ErrNoCredentials) {
		return false
	}
	var bad *CredentialError
	return !isFailure(err) && !errors.As(err, &bad) && !errors.Is(err, ErrAmbiguousCredentials)
}

// refuse is the denial for what scheme number failed returned; -1 for none.
func (g *Guard) refuse(r Request, failed int, err error) *Denial {
	if hasNone(err) {
		return g.standing.anonymous(r)
	}
	var bad *CredentialError
	var limit *LimitError
	switch {
	case errors.As(err, &limit):
		d := newDenial(Limited, CodeTooManyAttempts, ReasonTooManyAttempts, err)
		d.RetryAfter = max(limit.RetryAfter, time.Second)
		return d
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
		g.challenge(d, r, failed, err)
		return d
	default:
		return g.failure(err)
	}
}

// challenge puts every scheme's challenges for a 401 into d, and what else they
// have to say; scheme number failed is told why.
func (g *Guard) challenge(d *Denial, r Request, failed int, err error) {
	for i := range g.schemes {
		s := &g.schemes[i]
		own := ErrNoCredentials
		if i == failed {
			own = err
		}
		cs := s.offer(r, own)
		if s.inform != nil {
			d.fields = append(d.fields, s.inform(r, nil, own)...)
		}
		if len(g.schemes) == 1 {
			d.Challenges = cs // as it is, without a copy
		} else {
			d.Challenges = append(d.Challenges, cs...)
		}
	}
	if g.noPrompts && isScripted(r) {
		d.Challenges = unprompted(d.Challenges)
	}
}

// offer is what the scheme challenges for with a 401; there is at least one.
func (s *scheme) offer(r Request, err error) []challenge.Challenge {
	if cs := s.Challenges(r, err); len(cs) > 0 {
		return cs
	}
	return s.fallback
}

// isScripted reports whether a script made the request, so that no browser
// should ask its user over the page (Fetch Metadata, "Sec-Fetch-Mode").
func isScripted(r Request) bool {
	mode, n := r.Header(fetchMode)
	return n > 0 && mode != "navigate"
}

// unprompted are challenges under names that make no browser open a dialog.
func unprompted(cs []challenge.Challenge) []challenge.Challenge {
	out := make([]challenge.Challenge, 0, len(cs))
	for _, c := range cs {
		if s := c.Scheme(); strings.EqualFold(s, "Basic") || strings.EqualFold(s, "Digest") {
			if renamed, err := challenge.New("x"+s, c.Params()...); err == nil {
				c = renamed
			}
		}
		out = append(out, c)
	}
	return out
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
	if errors.As(err, &u) {
		if u.RetryAfter > 0 {
			d.RetryAfter = u.RetryAfter
		}
		if u.Reason != "" {
			d.Reason = u.Reason
		}
	}
	return d
}

// forbid is the denial for a known principal (RFC 9110 §15.5.4).
func (g *Guard) forbid(r Request, dec *Decision) *Denial {
	reason := dec.Reason
	if reason == "" {
		reason = ReasonDenied
	}
	if dec.StepUp == nil && len(dec.Scopes) == 0 && dec.Code == "" && dec.Message == "" {
		return g.standing.forbidden(reason)
	}
	d := newDenial(Forbidden, CodeForbidden, reason, nil)
	switch {
	case dec.StepUp != nil:
		d.Code, d.Message = CodeStepUp, messages[CodeStepUp]
		if d.Challenges = g.naming(CodeStepUp, r, &StepUpError{StepUp: *dec.StepUp}); len(d.Challenges) > 0 {
			d.Kind = Unauthenticated
		}
	case len(dec.Scopes) > 0:
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
