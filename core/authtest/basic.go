package authtest

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

// passwords is a password store. The password is "open sesame" for every user except
// "unknown", who does not exist, and "busy", for whom the store has no capacity.
var passwords = basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
	switch {
	case user == "unknown":
		return nil, basic.ErrUnknownUser
	case user == "busy":
		return nil, &core.UnavailableError{RetryAfter: 1500 * time.Millisecond, Err: errors.New("too many hashes at once")}
	case password != "open sesame":
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
})

// login returns the header line for a user and password.
func login(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
