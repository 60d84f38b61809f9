package claims

import "github.com/sallyport-go/sallyport/core"

// descriptions maps reasons to what a client is told about a refused token.
var descriptions = map[core.Reason]string{
	core.ReasonExpired:       "The access token expired",
	core.ReasonNotYetValid:   "The access token is not valid yet",
	core.ReasonBadSignature:  "The signature of the access token is not valid",
	core.ReasonUnknownKey:    "The access token was signed with an unknown key",
	core.ReasonBadAlgorithm:  "The access token was signed with an algorithm that is not accepted",
	core.ReasonWrongIssuer:   "The access token comes from an issuer that is not accepted",
	core.ReasonWrongAudience: "The access token was issued for another audience",
	core.ReasonRevoked:       "The access token was revoked",
	core.ReasonWrongType:     "The token is not an access token",
	core.ReasonBadClaim:      "The access token lacks a claim or holds one that is not valid",
}

// Refuse returns the error for a token that proves nobody. err is for observers;
// the client is told only the fixed text of the reason, or the text otherwise for a
// reason without one.
func Refuse(reason core.Reason, otherwise string, err error) error {
	text, known := descriptions[reason]
	if !known {
		text = otherwise
	}
	return &core.CredentialError{Reason: reason, Code: core.CodeInvalidToken, Description: text, Err: err}
}
