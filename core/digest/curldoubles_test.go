package digest_test

import (
	"context"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/digest"
)

// md5Only is an authenticator that only sends challenges for MD5.
type md5Only struct{ *digest.Authenticator }

func (m md5Only) Challenges(r core.Request, err error) []challenge.Challenge {
	for _, c := range m.Authenticator.Challenges(r, err) {
		if a, _ := c.Param("algorithm"); a == string(digest.MD5) {
			return []challenge.Challenge{c}
		}
	}
	return nil
}

// anyToken accepts the name in any token.
type anyToken struct{}

func (anyToken) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: token})
}
