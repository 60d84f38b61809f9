package authtest_test

import (
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

func TestNetHTTP(t *testing.T) {
	authtest.Run(t, authtest.NetHTTP())
}

func FuzzPaths(f *testing.F) { authtest.FuzzPaths(f, authtest.NetHTTP()) }

// TestFewMethods runs the suite on a router that takes no routes for other methods.
func TestFewMethods(t *testing.T) {
	f := authtest.NetHTTP()
	f.Methods = []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	serve := f.Serve
	f.Serve = func(t testing.TB, l net.Listener, app authtest.App) {
		for i, rt := range app.Routes {
			for _, method := range rt.Methods {
				if !slices.Contains(f.Methods, method) {
					t.Errorf("%s has a route for %s", rt.Pattern, method)
				}
			}
			if rt.Methods == nil {
				app.Routes[i].Methods = f.Methods
			}
		}
		serve(t, l, app)
	}
	authtest.Run(t, f)
}
