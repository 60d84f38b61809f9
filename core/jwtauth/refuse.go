package jwtauth

import (
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
)

// ReasonWrongType is the reason for a good JWT that is not an access token, such as
// an ID token (see [WithAccessTokenProfile]).
const ReasonWrongType = core.ReasonWrongType

// refuse is the error for a token that proves nobody. The format is for
// observers; the client is told only the fixed text of the reason.
func refuse(reason core.Reason, format string, args ...any) error {
	return &core.CredentialError{
		Reason:      reason,
		Code:        core.CodeInvalidToken,
		Description: description(reason),
		Err:         fmt.Errorf("jwtauth: "+format, args...),
	}
}

// isReason reports whether err refuses a token for reason.
func isReason(err error, reason core.Reason) bool {
	var bad *core.CredentialError
	return errors.As(err, &bad) && bad.Reason == reason
}

func description(reason core.Reason) string {
	switch reason {
	case core.ReasonExpired:
		return "The access token expired"
	case core.ReasonNotYetValid:
		return "The access token is not valid yet"
	case core.ReasonBadSignature:
		return "The signature of the access token is not valid"
	case core.ReasonUnknownKey:
		return "The access token was signed with an unknown key"
	case core.ReasonBadAlgorithm:
		return "The access token was signed with an algorithm that is not accepted"
	case core.ReasonWrongIssuer:
		return "The access token comes from an issuer that is not accepted"
	case core.ReasonWrongAudience:
		return "The access token was issued for another audience"
	case core.ReasonRevoked:
		return "The access token was revoked"
	case ReasonWrongType:
		return "The token is not an access token"
	case core.ReasonBadClaim:
		return "The access token lacks a claim or holds one that is not valid"
	default:
		return "The access token is malformed"
	}
}
