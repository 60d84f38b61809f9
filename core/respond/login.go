package respond

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// login leads people who open a page to the sign-in page.
type login struct {
	page string // with its query, if any
	path string // its path alone, decoded
}

// location is where to send whoever made r, which was refused with d and is to
// be answered with a page; "" for nowhere. l may be nil.
//
// Only those who are not signed in go there, and only from a request that can
// be made again (RFC 9110 §15.4.4): a step-up stays 401, since the sign-in page
// may well send somebody who is signed in straight back.
func (l *login) location(r core.Request, d *core.Denial) string {
	if l == nil || d.Kind != core.Unauthenticated || d.Code == core.CodeStepUp ||
		!isRepeatable(r) || !mayLead(r) || l.leadsAlready(r) {
		return ""
	}
	return withReturnTo(l.page, r)
}

// isRepeatable reports whether a redirect repeats the request as it was.
func isRepeatable(r core.Request) bool {
	return r.Method() == http.MethodGet || r.Method() == http.MethodHead
}

// mayLead reports whether nothing says that a script, a frame or a program
// made the request. Accept has been looked at.
func mayLead(r core.Request) bool {
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

// leadsAlready reports whether a redirect could come back here: from the
// sign-in page itself, or, where a proxy hides its path, from what carries the
// parameter of the redirect. What crawlers and browsers fetch by themselves is
// not led anywhere either: they would take the sign-in page for it.
func (l *login) leadsAlready(r core.Request) bool {
	if _, n := r.Query(ReturnToParam); n > 0 {
		return true
	}
	u, err := url.ParseRequestURI(r.Target())
	if err != nil || isPath(r, l.path) {
		return true
	}
	return u.Path == "/robots.txt" || u.Path == "/favicon.ico" || strings.HasPrefix(u.Path, "/.well-known/")
}

// isPath reports whether a request is for a decoded path, as any router may
// take it: in any case of letters, and with a slash at the end or without.
func isPath(r core.Request, path string) bool {
	u, err := url.ParseRequestURI(r.Target())
	return err == nil && path != "" && strings.EqualFold(strings.TrimRight(u.Path, "/"), strings.TrimRight(path, "/"))
}

// withReturnTo is a path of this site with the parameter [ReturnToParam] for
// r, which is left out where there is nothing to return to, or r has one already
// and the links would grow with each click.
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

// seeOther is a redirect to a path of this site.
func seeOther(location string) core.Response {
	return core.Response{Status: http.StatusSeeOther, Fields: []core.Field{
		{Name: "Location", Value: location},
		{Name: "Referrer-Policy", Value: "same-origin"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}}
}

// SignInFields are fields for a sign-in page of the application's own; AddFields
// of the adapter adds them. The page is kept out of caches, search indexes and
// other sites' frames, and tells other sites nothing of the path to return to.
//
// Referrer-Policy is same-origin: under no-referrer the form would be sent with
// "Origin: null", which [core.CrossSite] refuses (Fetch standard, "append a
// request Origin header").
func SignInFields() []core.Field {
	return []core.Field{
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Robots-Tag", Value: "noindex"},
		{Name: "Referrer-Policy", Value: "same-origin"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "X-Frame-Options", Value: "DENY"},
	}
}
