package authtest

import (
	"context"
	"log/slog"
	"reflect"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

// SignedIn returns a guard for tests of handlers on any framework: each request comes from
// the principal that info describes, whatever credentials it carries. With the zero
// info, requests are anonymous.
//
// Gate two and the rules of routes decide as usual. opts are options of [core.NewGuard],
// such as the authorizer. Verdicts are written to the test's log. If requests should come
// from different principals, use a guard on [Names] instead.
func SignedIn(t testing.TB, info core.PrincipalInfo, opts ...core.Option) *core.Guard {
	t.Helper()
	s := new(signedIn)
	switch {
	case reflect.ValueOf(info).IsZero():
	case info.ID == "":
		t.Fatal("authtest: SignedIn: the principal has no ID: give it one, or pass core.PrincipalInfo{} for anonymous requests")
	default:
		var err error
		if s.principal, err = core.NewPrincipal(info); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	g := must.Have(core.NewGuard([]core.Authenticator{s},
		append([]core.Option{core.WithObserver(core.LogObserver(log)), core.WithLogger(log)}, opts...)...))(t)
	return g
}

// signedIn is a scheme with one fixed principal, or none.
type signedIn struct{ principal *core.Principal }

func (*signedIn) Scheme() core.Scheme {
	return core.Scheme{Name: "Test", Sender: core.SentByClient, Attempt: core.Unguessable}
}

func (s *signedIn) Authenticate(context.Context, core.Request) (*core.Principal, error) {
	if s.principal == nil {
		return nil, core.ErrNoCredentials
	}
	return s.principal, nil
}

func (*signedIn) Challenges(core.Request, error) []challenge.Challenge { return realm("Test") }
