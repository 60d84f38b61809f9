package forwardauth_test

import (
	"context"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

// known is a scheme that takes everybody for one principal.
type known struct{ info core.PrincipalInfo }

func (known) Scheme() core.Scheme {
	return core.Scheme{Name: "Known", Sender: core.SentByClient, Vary: []string{"Authorization"}, Attempt: core.Unguessable}
}

func (k known) Authenticate(context.Context, core.Request) (*core.Principal, error) {
	return core.NewPrincipal(k.info)
}

func (known) Challenges(core.Request, error) []challenge.Challenge { return nil }
