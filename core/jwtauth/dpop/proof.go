package dpop

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

const (
	fieldName    = "DPoP"
	proofType    = "dpop+jwt"
	maxProofSize = 8 << 10 // bytes; one by an RSA key of 4096 bits has 2 KiB
	maxID        = 256     // bytes of a jti
)

// checkProof checks the proof that came with a token bound to the key jkt, by RFC
// 9449 §4.3.
func (a *Authenticator) checkProof(ctx context.Context, r core.Request, field, token, jkt string) error {
	if len(field) > maxProofSize {
		return refuseProof(core.ReasonMalformed, "", fmt.Errorf("proof of %d bytes, at most %d are accepted", len(field), maxProofSize))
	}
	proof, err := jwtauth.VerifyProof(field, proofType, a.algorithms)
	if err != nil {
		return badProof(err)
	}
	if proof.Thumbprint != jkt {
		return &core.CredentialError{
			Reason: ReasonWrongKey, Code: core.CodeInvalidToken, Description: "The access token is bound to another key than that of the proof",
			Err: fmt.Errorf("dpop: token bound to key %.64q, proof by key %s", jkt, proof.Thumbprint),
		}
	}
	c := proof.Claims
	if err := a.checkTarget(c, r); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(token))
	if c["ath"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return refuseProof(core.ReasonBadClaim, "The DPoP proof was made for another access token", errors.New("ath is not the hash of the token"))
	}
	jti, ok := c["jti"].(string)
	if !ok || jti == "" || len(jti) > maxID {
		return refuseProof(core.ReasonBadClaim, "", fmt.Errorf("jti is not a string of 1 to %d bytes", maxID))
	}
	if core.IsRecheck(ctx) {
		return nil // the original request has checked freshness and reuse
	}
	now := a.now()
	until, err := a.checkTime(c, now)
	if err != nil {
		return err
	}
	if err := a.checkNonce(c, now); err != nil {
		return err
	}
	return a.remember(ctx, jkt, jti, until.Sub(now))
}

// checkTarget checks that the proof is for this method and address.
func (a *Authenticator) checkTarget(c map[string]any, r core.Request) error {
	htm, ok := c["htm"].(string)
	if !ok || htm != r.Method() {
		return refuseProof(core.ReasonBadClaim, "The DPoP proof was made for another method", fmt.Errorf("htm %.32q, method %.32q", htm, r.Method()))
	}
	const elsewhere = "The DPoP proof was made for another address"
	htu, ok := c["htu"].(string)
	if !ok {
		return refuseProof(core.ReasonBadClaim, elsewhere, errors.New("htu is not a string"))
	}
	named, err := normalizeURI(htu)
	if err != nil {
		return refuseProof(core.ReasonBadClaim, elsewhere, fmt.Errorf("htu: %w", err))
	}
	path, err := targetPath(r.Target())
	if err != nil {
		return refuseProof(core.ReasonBadClaim, elsewhere, fmt.Errorf("request target: %w", err))
	}
	for _, b := range a.bases {
		if asked, err := b.at(path); err == nil && asked == named {
			return nil
		}
	}
	return refuseProof(core.ReasonBadClaim, elsewhere, fmt.Errorf("htu %.256q, path %.256q", named, path))
}

// checkTime checks when the proof was made, and returns when it expires.
func (a *Authenticator) checkTime(c map[string]any, now time.Time) (time.Time, error) {
	made, ok, err := claims.Date(c, "iat")
	if err != nil || !ok {
		return time.Time{}, refuseProof(core.ReasonBadClaim, "", errors.New("iat is not a date"))
	}
	until := made.Add(a.age + a.leeway)
	if now.After(until) {
		return until, refuseProof(core.ReasonExpired, "The DPoP proof is too old", fmt.Errorf("iat is %v", made))
	}
	if made.After(now.Add(a.leeway)) {
		return until, refuseProof(core.ReasonNotYetValid, "The DPoP proof was made in the future", fmt.Errorf("iat is %v", made))
	}
	return until, nil
}

// remember refuses a proof that was seen before (RFC 9449 §11.1). It stores a hash
// of the key and the jti together, so that no client can use up another's jti.
func (a *Authenticator) remember(ctx context.Context, jkt, jti string, ttl time.Duration) error {
	id := sha256.Sum256([]byte(jkt + "." + jti))
	fresh, err := a.replays.Remember(ctx, sha256.Sum256([]byte(jkt)), id, ttl+time.Second) // the proof is still valid at that very moment
	if limit, ok := errtype.As[*core.LimitError](err); ok {
		return &core.LimitError{RetryAfter: limit.RetryAfter, Err: fmt.Errorf("dpop: replay store: %w", limit.Err)}
	}
	if err != nil {
		return unavailable(err)
	}
	if !fresh {
		return refuseProof(core.ReasonReplayed, "The DPoP proof was used before", errors.New("jti was seen before"))
	}
	return nil
}

// unavailable returns the 503 for an error of the replay store: it is unknown
// whether the proof was used. Whatever the error is, it says nothing about the
// client.
func unavailable(err error) error {
	if kept, ok := errtype.As[*core.UnavailableError](err); ok {
		return &core.UnavailableError{RetryAfter: kept.RetryAfter, Err: fmt.Errorf("dpop: replay store: %w", kept.Err)}
	}
	return &core.UnavailableError{Err: fmt.Errorf("dpop: replay store: %w", err)}
}

// refuseProof returns the error for an invalid proof.
func refuseProof(reason core.Reason, description string, err error) error {
	description = cmp.Or(description, "The DPoP proof is not valid")
	return &core.CredentialError{Reason: reason, Code: core.CodeInvalidProof, Description: description, Err: fmt.Errorf("dpop: %w", err)}
}

// badProof returns the refusal for an error of [jwtauth.VerifyProof].
func badProof(err error) error {
	var bad *core.CredentialError
	if !errors.As(err, &bad) {
		return err
	}
	description := "The DPoP proof is malformed"
	switch bad.Reason {
	case core.ReasonBadSignature:
		description = "The signature of the DPoP proof is not valid"
	case core.ReasonBadAlgorithm:
		description = "The DPoP proof was signed with an algorithm that is not accepted"
	}
	return refuseProof(bad.Reason, description, bad.Err)
}
