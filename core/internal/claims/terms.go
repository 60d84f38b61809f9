package claims

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/once"
	"github.com/sallyport-go/sallyport/core/option"
)

// MaxLeeway keeps clock skew from becoming a second lifetime.
const MaxLeeway = 5 * time.Minute

// Terms holds what a token verifier accepts, however it obtains the claims. The
// methods implement its options.
type Terms struct {
	Issuer      string
	AnyIssuer   bool
	Audiences   []string
	AnyAudience bool
	Leeway      time.Duration
	Now         func() time.Time
	Given       once.Options
}

// NewTerms returns the default terms.
func NewTerms() Terms { return Terms{Leeway: 30 * time.Second, Now: time.Now} }

// SetIssuer is WithIssuer.
func (t *Terms) SetIssuer(iss string) error {
	switch {
	case iss == "":
		return errors.New("issuer is empty")
	case strings.TrimSpace(iss) != iss:
		return fmt.Errorf("issuer %.256q begins or ends with white space: no token has such an iss", iss)
	case strings.Contains(iss, "/.well-known/"):
		before, _, _ := strings.Cut(iss, "/.well-known/")
		return fmt.Errorf("issuer %.256q is the address of metadata: give the issuer itself, usually %.256q, as in the iss of its tokens", iss, before)
	case t.Issuer != "":
		return fmt.Errorf("issuers %q and %q: make a verifier for each issuer", t.Issuer, iss)
	}
	t.Issuer = iss
	return nil
}

// AcceptAnyIssuer is WithoutIssuer.
func (t *Terms) AcceptAnyIssuer() error {
	t.AnyIssuer = true
	return nil
}

// AddAudience is WithAudience.
func (t *Terms) AddAudience(aud []string) error {
	if len(aud) == 0 || slices.Contains(aud, "") {
		return errors.New("audience is empty")
	}
	for _, a := range aud {
		if strings.TrimSpace(a) != a {
			return fmt.Errorf("audience %.256q begins or ends with white space: no token has such an aud", a)
		}
	}
	t.Audiences = append(t.Audiences, aud...)
	return nil
}

// AcceptAnyAudience is WithoutAudience.
func (t *Terms) AcceptAnyAudience() error {
	t.AnyAudience = true
	return nil
}

// SetLeeway is WithLeeway.
func (t *Terms) SetLeeway(d time.Duration) error {
	return t.Given.Once("WithLeeway", option.SetUnless(&t.Leeway, d, d < 0 || d > MaxLeeway, "leeway %v: must be from 0 to %v", d, MaxLeeway))
}

// SetClock is WithClock.
func (t *Terms) SetClock(now func() time.Time) error {
	return t.Given.Once("WithClock", option.Set(&t.Now, now, "clock is nil"))
}

// Check checks that issuer and audience are set, or explicitly left open. named
// reports that the issuer is named in another way.
func (t *Terms) Check(named bool) error {
	switch {
	case t.Issuer == "" && !named && !t.AnyIssuer:
		return errors.New("no issuer: name it with WithIssuer, or accept any with WithoutIssuer")
	case t.Issuer != "" && t.AnyIssuer:
		return errors.New("both WithIssuer and WithoutIssuer: choose one")
	case len(t.Audiences) == 0 && !t.AnyAudience:
		return errors.New("no audience: name it with WithAudience, or accept any with WithoutAudience")
	case len(t.Audiences) > 0 && t.AnyAudience:
		return errors.New("both WithAudience and WithoutAudience: choose one")
	}
	return nil
}
