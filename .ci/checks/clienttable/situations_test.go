package clienttable

import "encoding/base64"

// credentials are what a client has when it asks.
type credentials int

const (
	nothing credentials = iota
	heldPassword
	goodToken
	expiredToken
	wrongPassword
)

// first is the Authorization field of the first request, "" for none.
func (has credentials) first() string {
	switch has {
	case goodToken:
		return "Bearer " + viewer
	case expiredToken:
		return "Bearer " + expired
	case wrongPassword:
		return basicField(guess)
	}
	return ""
}

// second is that of the next one, of a client that has better ones at hand.
func (has credentials) second() string {
	switch has {
	case heldPassword:
		return basicField(password)
	case expiredToken:
		return "Bearer " + viewer
	}
	return has.first()
}

func basicField(secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(viewer+":"+secret))
}

// Whoever asks is viewer, who has this password and the token of this name. The
// token of admin opens every door.
const (
	viewer   = "viewer"
	admin    = "admin"
	password = "right"
	guess    = "wrong"
	expired  = "expired"
)

// situation is a request, and the answer that it gets unless it is made in
// another way.
type situation struct {
	name string
	path string
	has  credentials
	// answer is the status without which the row would show something else.
	answer int
}

// situations are the rows of the table.
var situations = []situation{
	{"200, public page", "/public", nothing, 200},
	{"200, signed in", "/report", goodToken, 200},
	{"401, no credentials", "/report", nothing, 401},
	{"401, a password at hand", "/report", heldPassword, 401},
	{"401, token or session expired", "/report", expiredToken, 401},
	{"401, wrong password", "/report", wrongPassword, 401},
	{"401, step-up", "/transfer", goodToken, 401},
	{"403, role", "/admin", goodToken, 403},
	{"403, `insufficient_scope`", "/export", goodToken, 403},
	{"404, concealed", "/hidden", goodToken, 404},
	{"429, `Retry-After: 1`", "/limited", goodToken, 429},
	{"503, `Retry-After: 1`", "/outage", goodToken, 503},
	{"303, to the sign-in page", "/page", nothing, 303},
	{"500", "/broken", goodToken, 500},
}
