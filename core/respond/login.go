package respond

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// login redirects people who open a page to the sign-in page.
type login struct {
	page string // with its query, if any
	path string // its path alone, decoded
}

// location returns where to redirect r, which was refused with d and would be
// answered with a page; "" for no redirect. l may be nil.
//
// Only users who are not signed in are redirected, and only from a request that can
// be repeated (RFC 9110 §15.4.4): a step-up stays 401, since the sign-in page may
// send a signed-in user straight back.
func (l *login) location(r core.Request, d *core.Denial) string {
	if l == nil || d.Kind != core.Unauthenticated || d.Code == core.CodeStepUp ||
		!isRepeatable(r) || !mayRedirect(r) || l.mayLoop(r) {
		return ""
	}
	return withReturnTo(l.page, r)
}

// isRepeatable reports whether a redirect would repeat the request unchanged.
func isRepeatable(r core.Request) bool {
	return r.Method() == http.MethodGet || r.Method() == http.MethodHead
}

// mayRedirect reports whether nothing indicates that a script, a frame or a program
// made the request. Accept has already been checked.
func mayRedirect(r core.Request) bool {
	if mode, n := r.Header("Sec-Fetch-Mode"); n > 1 || n == 1 && mode != "navigate" {
		return false
	}
	if dest, n := r.Header("Sec-Fetch-Dest"); n > 1 || n == 1 && dest != "document" {
		return false
	}
	_, scripts := r.Header("X-Requested-With")
	_, credentials := r.Header("Authorization")
	return scripts == 0 && credentials == 0
}

// mayLoop reports whether a redirect could loop: from the sign-in page itself
// or, if a proxy hides its path, from a request that has the redirect's parameter.
// It also reports true for files that crawlers and browsers fetch by themselves,
// for which they would mistake the sign-in page.
func (l *login) mayLoop(r core.Request) bool {
	if _, n := r.Query(ReturnToParam); n > 0 {
		return true
	}
	u, err := url.ParseRequestURI(r.Target())
	if err != nil || isPath(r, l.path) {
		return true
	}
	return u.Path == "/robots.txt" || u.Path == "/favicon.ico" || strings.HasPrefix(u.Path, "/.well-known/")
}

// isPath reports whether a request is for the given decoded path, as any router may
// match it: in any letter case, with or without a trailing slash.
func isPath(r core.Request, path string) bool {
	u, err := url.ParseRequestURI(r.Target())
	return err == nil && path != "" && strings.EqualFold(strings.TrimRight(u.Path, "/"), strings.TrimRight(path, "/"))
}

// withReturnTo adds the parameter [ReturnToParam] for r to a path of this site,
// unless there is nothing to return to, or r has one already and the links would
// grow with each click.
func withReturnTo(page string, r core.Request) string {
	_, nested := r.Query(ReturnToParam)
	if page == "" || nested > 0 || !isRepeatable(r) || !isLocal(r.Target()) || r.Target() == "/" {
		return page
	}
	separator := "?"
	if strings.Contains(page, "?") {
		separator = "&"
	}
	return page + separator + ReturnToParam + "=" + url.QueryEscape(r.Target())
}

// seeOther returns a redirect to a path of this site.
func seeOther(location string) core.Response {
	return core.Response{Status: http.StatusSeeOther, Fields: []core.Field{
		{Name: "Location", Value: location},
		{Name: "Referrer-Policy", Value: "same-origin"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}}
}

// SignInFields returns header fields for the application's own sign-in page; add
// them with AddFields of the adapter. They keep the page out of caches, search
// indexes and other sites' frames, and the path to return to from other sites.
//
// Referrer-Policy is same-origin: with no-referrer the form would be sent with
// "Origin: null", which [core.CrossSite] refuses (Fetch standard, "append a request
// Origin header").
func SignInFields() []core.Field {
	return []core.Field{
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Robots-Tag", Value: "noindex"},
		{Name: "Referrer-Policy", Value: "same-origin"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "X-Frame-Options", Value: "DENY"},
	}
}
