package openid

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the built-in template
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
)

//go:embed page.html
var pageTemplate string

// Page is the data for the template of the sign-in page.
type Page struct {
	// Providers lists the providers to choose from, in the order given to New.
	Providers []Choice
	// Failed reports that a sign-in has failed.
	Failed bool
	// Style is the style sheet, for the page's only style element.
	Style template.CSS
}

// Choice is a provider on the page: its label, and the address that starts the
// sign-in.
type Choice struct {
	Name, Label string
	URL         string
}

type page struct {
	template *template.Template
	fields   []core.Field
}

func newPage(t *template.Template) (*page, error) {
	if t == nil {
		var err error
		if t, err = template.New("sign-in").Parse(pageTemplate); err != nil {
			return nil, err
		}
	}
	sum := sha256.Sum256([]byte(respond.Style()))
	p := &page{template: t, fields: append(respond.SignInFields(),
		core.Field{Name: "Content-Type", Value: "text/html; charset=utf-8"},
		core.Field{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	)}
	if err := t.Execute(new(bytes.Buffer), Page{Providers: []Choice{{"name", "Label", "/"}}, Failed: true}); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return p, nil
}

// show returns the page for a user who will return to returnTo.
func (p *page) show(s *SignIn, returnTo string, failed bool) core.Response {
	shown := Page{Failed: failed, Style: template.CSS(respond.Style())}
	for _, one := range s.providers {
		query := url.Values{"provider": {one.name}}
		if returnTo != "/" {
			query.Set(respond.ReturnToParam, returnTo)
		}
		shown.Providers = append(shown.Providers, Choice{one.name, one.label, "?" + query.Encode()})
	}
	var body bytes.Buffer
	if err := p.template.Execute(&body, shown); err != nil { // it was tested
		return core.Response{Status: http.StatusInternalServerError}
	}
	return core.Response{Status: http.StatusOK, Fields: p.fields, Body: body.Bytes()}
}
