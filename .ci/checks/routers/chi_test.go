package routers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestChi runs the whole suite with gates around the handlers of chi's routes.
func TestChi(t *testing.T) {
	for _, method := range []string{"FOO", "PROPFIND", "PURGE", "REPORT"} {
		chi.RegisterMethod(method)
	}
	// It cleans up no path by a redirect, and matches the path as sent.
	answers := map[string]int{"/%66iles/secret": 404, "/admin/7/": 404}
	framework := authtest.HTTPRouter("chi", func(routes []authtest.HTTPRoute, notFound http.Handler) http.Handler {
		router := chi.NewRouter()
		for _, rt := range routes {
			segments := strings.Split(rt.Pattern, "/")
			for i, s := range segments {
				if name, ok := strings.CutPrefix(s, ":"); ok {
					segments[i] = "{" + name + "}"
				}
			}
			pattern := strings.Join(segments, "/")
			if rt.Methods == nil {
				router.Handle(pattern, rt.Handler)
			}
			for _, method := range rt.Methods {
				router.Method(method, pattern, rt.Handler)
			}
		}
		if notFound != nil {
			router.NotFound(notFound.ServeHTTP)
		}
		return router
	})
	framework.Spellings = answers
	authtest.Run(t, framework)
}
