package main

import (
	"context"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
)

// tokens knows its tokens by heart.
type tokens map[string]string

func (t tokens) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	if id, ok := t[token]; ok {
		return core.NewPrincipal(core.PrincipalInfo{ID: id})
	}
	return nil, &core.CredentialError{Reason: core.ReasonUnknownPrincipal}
}

func newGuard() *core.Guard {
	scheme, err := bearer.New("app", tokens{"s3cr3t": "alice"})
	if err != nil {
		panic(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme})
	if err != nil {
		panic(err)
	}
	return guard
}
