package htpasswdtest_test

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/htpasswd/htpasswdtest"
)

func TestPasswords(t *testing.T) {
	htpasswdtest.Run(t, func(t testing.TB, g *core.Guard) string {
		return authtest.NetHTTP().Start(t, authtest.App{Routes: []authtest.Route{{
			Methods: []string{"GET"},
			Pattern: "/door",
			Gates:   []authtest.Gate{{Kind: "Authenticate", Guard: g}},
			Handler: func(x authtest.Exchange) error { return x.Text(http.StatusOK, x.Principal().ID()) },
		}}})
	})
}
