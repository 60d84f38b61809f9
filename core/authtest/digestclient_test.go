package authtest

import (
	"context"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/digest"
)

func (u digestUsers) FindUserHash(ctx context.Context, realm, hash string, a digest.Algorithm) (digest.Entry, error) {
	for _, user := range u {
		if digestSum(string(a), user+":"+realm) == hash {
			return u.FindUser(ctx, realm, user, a)
		}
	}
	return digest.Entry{}, digest.ErrUnknownUser
}

// refusesFor asks for the door with r and fails the test unless the answer is
// 401 for that reason, without stale=true. It returns the answer.
func (d *digestDoor) refusesFor(reason core.Reason, r digestReply) Answer {
	d.t.Helper()
	a := d.refuses(401, core.CodeInvalidCredentials, r.header())
	if e := d.rec.Last(d.t); e.Reason != reason {
		d.t.Errorf("%s: reason %s, want %s", r.header(), e.Reason, reason)
	}
	if strings.Contains(strings.Join(a.Header.Values("WWW-Authenticate"), "\n"), "stale") {
		d.t.Errorf("%s: told of a stale nonce", r.header())
	}
	return a
}
