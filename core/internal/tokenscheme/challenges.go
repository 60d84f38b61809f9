package tokenscheme

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/loopback"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
)

// stepUpDescription is the error_description of every step-up challenge.
const stepUpDescription = "A stronger or more recent authentication is needed"

// Challenges writes the challenges of one scheme. It is immutable and safe for
// concurrent use.
type Challenges struct {
	scheme string
	realm  challenge.Param
	last   []challenge.Param
	codes  []string
	wanted []challenge.Param // scopes for a 401 without a valid token

	// Challenges that are the same for every request, rendered once.
	plain []challenge.Challenge
	bare  map[string][]challenge.Challenge // by error code
}

// NewChallenges returns the challenges of a scheme. They begin with realm and end with the
// parameters last. codes are the scheme's error codes in addition to those of RFC 6750. It
// returns an error for parameters that cannot be sent.
func NewChallenges(scheme, realm string, last []challenge.Param, codes ...string) (*Challenges, error) {
	c := &Challenges{
		scheme: scheme,
		realm:  challenge.Param{Name: "realm", Value: realm},
		last:   slices.Clone(last),
		codes:  append([]string{core.CodeInvalidToken}, codes...),
		bare:   make(map[string][]challenge.Challenge),
	}
	one, err := c.with()
	if err != nil {
		return nil, err
	}
	c.plain = one
	for _, code := range append(c.codes, core.CodeInvalidRequest) {
		if c.bare[code], err = c.with(param("error", code)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Want adds the scopes that a first token should have to the challenges of a 401 without a
// token or with an invalid one (RFC 6750 §3).
func (c *Challenges) Want(scopes []string) error {
	if len(scopes) == 0 {
		return errors.New("scopes must not be empty")
	}
	for _, s := range scopes {
		if s == "" || !isPlain(s) || strings.IndexByte(s, ' ') >= 0 {
			return fmt.Errorf("scope %q is not a scope-token (RFC 6749 §3.3)", quiet.Text(s))
		}
	}
	c.wanted = []challenge.Param{param("scope", strings.Join(scopes, " "))}
	var err error
	if c.plain, err = c.with(c.wanted...); err == nil {
		c.bare[core.CodeInvalidToken], err = c.with(append([]challenge.Param{param("error", core.CodeInvalidToken)}, c.wanted...)...)
	}
	return err
}

// For returns the challenges for err, as [core.Authenticator] requires. Without credentials
// there is no error code. For a [core.CredentialError] it is the error's code if that is
// one of the scheme's, and otherwise invalid_token, with the Description if that is
// printable ASCII without quotes and backslashes. The others are insufficient_scope with
// all scopes needed (RFC 6750 §3.1), insufficient_user_authentication with acr_values and
// max_age (RFC 9470 §3), and invalid_request for [core.ErrAmbiguousCredentials]. Any other
// error has no challenge, since signing in would not help.
func (c *Challenges) For(err error) []challenge.Challenge {
	if errors.Is(err, core.ErrNoCredentials) {
		return c.plain
	}
	if errors.Is(err, core.ErrAmbiguousCredentials) {
		return c.bare[core.CodeInvalidRequest]
	}
	if scope, ok := errtype.As[*core.ScopeError](err); ok {
		return c.insufficientScope(scope.Scopes)
	}
	if step, ok := errtype.As[*core.StepUpError](err); ok {
		return c.stepUp(step.StepUp)
	}
	var bad *core.CredentialError
	if !errors.As(err, &bad) {
		return nil
	}
	code := bad.Code
	if !slices.Contains(c.codes, code) {
		code = core.CodeInvalidToken
	}
	if bad.Description == "" || !isPlain(bad.Description) {
		return c.bare[code]
	}
	params := []challenge.Param{param("error", code), param("error_description", bad.Description)}
	if code == core.CodeInvalidToken {
		params = append(params, c.wanted...)
	}
	described, err := c.with(params...)
	if err != nil {
		return c.bare[code]
	}
	return described
}

// insufficientScope omits scopes that no token can carry (RFC 6749 §3.3), since they would
// change the meaning of the list.
func (c *Challenges) insufficientScope(scopes []string) []challenge.Challenge {
	params := []challenge.Param{param("error", core.CodeInsufficientScope)}
	if list := words(scopes); list != "" {
		params = append(params, param("scope", list))
	}
	one, err := c.with(params...)
	if err != nil {
		return nil
	}
	return one
}

// stepUp omits a class that cannot be an element of the list (RFC 9470 §3).
func (c *Challenges) stepUp(need core.StepUp) []challenge.Challenge {
	params := []challenge.Param{param("error", core.CodeStepUp), param("error_description", stepUpDescription)}
	if list := words(need.ACRValues); list != "" {
		params = append(params, param("acr_values", list))
	}
	if need.MaxAge > 0 {
		params = append(params, param("max_age", strconv.FormatInt(int64(need.MaxAge/time.Second), 10)))
	}
	one, err := c.with(params...)
	if err != nil {
		return nil
	}
	return one
}

// with returns a challenge with the realm, params and the last parameters.
func (c *Challenges) with(params ...challenge.Param) ([]challenge.Challenge, error) {
	one, err := challenge.New(c.scheme, slices.Concat([]challenge.Param{c.realm}, params, c.last)...)
	if err != nil {
		return nil, err
	}
	return []challenge.Challenge{one}, nil
}

func param(name, value string) challenge.Param { return challenge.Param{Name: name, Value: value} }

// words returns the values that are valid list elements, separated by spaces.
func words(values []string) string {
	list := slices.DeleteFunc(slices.Clone(values), func(s string) bool {
		return s == "" || !isPlain(s) || strings.IndexByte(s, ' ') >= 0
	})
	return strings.Join(list, " ")
}

// isPlain reports whether s is printable ASCII without quotes and backslashes, as RFC 6750
// §3 requires of scope lists and of error_description.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// ResourceMetadata returns the challenge parameter with the address of the protected
// resource's metadata (RFC 9728 §5.1). It must be an absolute https URL without user
// information and fragment, or an http URL on a loopback host.
func ResourceMetadata(address string) (challenge.Param, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Contains(address, "#") {
		return challenge.Param{}, fmt.Errorf("resource metadata %q is not an absolute https URL without fragment", quiet.Text(address))
	}
	if u.Scheme == "http" && !loopback.Host(u.Hostname()) {
		return challenge.Param{}, fmt.Errorf("resource metadata %q: https is needed; plain http is accepted on a loopback host only", quiet.Text(address))
	}
	return param("resource_metadata", address), nil
}
