package digest_test

import (
	"context"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/digest"
)

// md5Only is an authenticator whose challenges for MD5 alone arrive.
type md5Only struct{ *digest.Authenticator }

func (m md5Only) Challenges(r core.Request, err error) []challenge.Challenge {
	for _, c := range m.Authenticator.Challenges(r, err) {
		if a, _ := c.Param("algorithm"); a == string(digest.MD5) {
			return []challenge.Challenge{c}
		}
	}
	return nil
}

// anyToken believes whoever a token names.
type anyToken struct{}

func (anyToken) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: token})
}
