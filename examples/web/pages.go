package main

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// contentPolicy lets a page load what is this site's own and nothing else, and
// no script make markup of text (Content Security Policy Level 3, Trusted
// Types).
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// pageFields are those of every page.
var pageFields = []core.Field{
	{Name: "Content-Type", Value: "text/html; charset=utf-8"},
	{Name: "Content-Security-Policy", Value: contentPolicy},
	{Name: "Cross-Origin-Opener-Policy", Value: "same-origin"},
	// Not no-referrer: under that, browsers send the page's own forms with
	// "Origin: null", which is refused where there is no Sec-Fetch-Site.
	{Name: "Referrer-Policy", Value: "same-origin"},
	{Name: "X-Content-Type-Options", Value: "nosniff"},
}

// privateFields keep what belongs to one person out of caches, of the browser's
// too, and out of search engines.
var privateFields = []core.Field{
	{Name: "Cache-Control", Value: "no-store"},
	{Name: "X-Robots-Tag", Value: "noindex"},
}

// page is what a template shows.
type page struct {
	Static            string // path of the static files
	Public            bool   // may be listed by search engines
	Admin             bool   // is the administration
	User              string // ID of who is signed in, or ""
	ReturnTo, Message string
	Typed             string // user name to try again with
	Members           []member
}

// pages are the templates of the site.
type pages struct {
	static    string
	templates map[string]*template.Template
}

// newPages reads the templates in a folder and tries each.
func newPages(files fs.FS, folder, static string) (*pages, error) {
	p := &pages{static: static, templates: map[string]*template.Template{}}
	for name, parts := range map[string][]string{
		"home": nil, "login": nil, "notfound": nil, "app": {"signedin"}, "admin": {"signedin"},
	} {
		var paths []string
		for _, part := range slices.Concat([]string{"layout"}, parts, []string{name}) {
			paths = append(paths, path.Join(folder, part+".html"))
		}
		t, err := template.ParseFS(files, paths...)
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		p.templates[name] = t
		if _, err := p.render(name, page{}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pages) render(name string, shown page) ([]byte, error) {
	shown.Static = p.static
	var b bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&b, "layout.html", shown); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// private is a page for one person.
func (p *pages) private(status int, name string, shown page) core.Response {
	body, err := p.render(name, shown)
	if err != nil {
		return core.Response{Status: http.StatusInternalServerError, Fields: privateFields}
	}
	return core.Response{Status: status, Fields: slices.Concat(pageFields, privateFields), Body: body}
}

// Home is the start page, which is the same for everybody and may be found by
// search engines.
func (s *site) Home(context.Context, core.Request) core.Response {
	resp := s.pages.private(http.StatusOK, "home", page{Public: true})
	resp.Fields = append(slices.Clip(pageFields), core.Field{Name: "Cache-Control", Value: "public, max-age=60"})
	return resp
}

// App is the page whose script shows the reports, at all addresses below /app.
func (s *site) App(ctx context.Context, _ core.Request) core.Response {
	return s.pages.private(http.StatusOK, "app", page{User: userOf(ctx)})
}

// Admin is a page without a script.
func (s *site) Admin(ctx context.Context, _ core.Request) core.Response {
	return s.pages.private(http.StatusOK, "admin", page{User: userOf(ctx), Admin: true, Members: members})
}

// NotFound is for addresses that the site does not have. It stands behind no
// gate and looks the same to everybody.
func (s *site) NotFound(context.Context, core.Request) core.Response {
	return s.pages.private(http.StatusNotFound, "notfound", page{})
}

// userOf is the ID of who passed the gates.
func userOf(ctx context.Context) string {
	if p, ok := core.PrincipalFrom(ctx); ok {
		return p.ID()
	}
	return ""
}
