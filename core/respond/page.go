package respond

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // the built-in template and style sheet
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/kept"
)

//go:embed page.html
var pageTemplate string

//go:embed page.css
var pageStyle string

// Style returns the style sheet of the built-in pages, for other pages that should
// look the same: a main element with an h1, paragraphs, and links of the class
// button in a paragraph of the class actions.
func Style() string { return strings.TrimSpace(pageStyle) }

// Page is the data for a template.
type Page struct {
	// Language is the tag of the texts, for the lang attribute.
	Language    string
	RightToLeft bool
	// Status is the status of the response, and Code its stable code.
	Status int
	Code   string
	// Title and Message say what is wrong and what to do.
	Title, Message string
	// Wait says how long to wait; "" unless Status is 429 or 503.
	Wait string
	// Retry is the text of a link to the page itself, whose address is empty: <a
	// href="">. It is "" if there is no Wait, or if following the link would not
	// repeat the request, such as after a form was sent.
	Retry string
	// SignIn, SwitchAccount and Contact have no URL if they would be of no use.
	SignIn, SwitchAccount, Contact Link
	// RequestID is the request's ID, or "".
	RequestID, RequestIDLabel string
	// Style is the style sheet, for the page's only style element.
	Style template.CSS
}

// page responds with pages. It is not a [Format], since it needs the request's ID
// and can fail.
type page struct {
	template              *template.Template
	style                 template.CSS
	texts                 []*Texts
	tags                  []string // of the texts, in lower case
	fields                [][]core.Field
	signIn, switchAccount string
	signInPath            string // of signIn, decoded
	contactName           string
	contactURL            template.URL
	bodies                kept.Map[pageKey, []byte]
}

// pageKey is what a page is made of, apart from what belongs to one request.
type pageKey struct {
	language      int // index of the texts
	kind          core.Kind
	code, message string
	seconds       int
	retry         bool // a link may repeat the request
}

// Size is how many bytes the texts of the key have.
func (k pageKey) Size() int { return len(k.code) + len(k.message) }

func newPage(s *settings) (*page, error) {
	t := s.template
	if t == nil {
		var err error
		if t, err = template.New("page").Parse(pageTemplate); err != nil {
			return nil, err
		}
	}
	p := &page{
		template: t, style: template.CSS(s.style),
		signIn: s.signIn, switchAccount: s.switchAccount, contactName: s.contact.Text, contactURL: s.contact.URL,
	}
	if u, err := url.Parse(s.signIn); err == nil { // it was checked
		p.signInPath = u.Path
	}
	policy := cmp.Or(s.policy, strictPolicy(s.style))
	for _, texts := range s.texts {
		p.texts = append(p.texts, texts.clone())
		p.tags = append(p.tags, strings.ToLower(texts.Language))
		p.fields = append(p.fields, pageFields(policy, texts.Language, len(s.texts) > 1))
	}
	return p, p.try()
}

// strictPolicy returns a policy that allows nothing but style. The empty icon keeps
// browsers from requesting /favicon.ico, which they would report as blocked
// (Content Security Policy Level 3).
func strictPolicy(style string) string {
	hash := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

func pageFields(policy, language string, several bool) []core.Field {
	fields := []core.Field{
		{Name: "Content-Type", Value: "text/html; charset=utf-8"},
		{Name: "Content-Language", Value: language},
		{Name: "Content-Security-Policy", Value: policy},
		{Name: "Referrer-Policy", Value: "same-origin"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}
	if several {
		fields = append(fields, core.Field{Name: "Vary", Value: "Accept-Language"})
	}
	return fields
}

// try renders every page once, with all optional parts.
func (p *page) try() error {
	for language, texts := range p.texts {
		for kind := core.Unauthenticated; kind <= core.Limited; kind++ {
			for code := range texts.Denials {
				shown := p.show(pageKey{language: language, kind: kind, code: code, seconds: 1, retry: true})
				shown.RequestID = "0"
				body, err := p.render(shown)
				if err != nil {
					return fmt.Errorf("template: %w", err)
				}
				if len(bytes.TrimSpace(body)) == 0 {
					return errors.New("template: the page is empty")
				}
			}
		}
	}
	return nil
}

var pageTypes = []string{"text/html", "application/xhtml+xml"}

func (p *page) MediaTypes() []string { return pageTypes }

// respond returns a page for d; id is the request's, or "".
func (p *page) respond(r core.Request, d *core.Denial, id string) (core.Response, error) {
	key := pageKey{kind: d.Kind, code: d.Code, message: d.Message}
	if len(p.tags) > 1 {
		accept, _ := r.Header("Accept-Language")
		key.language = chooseLanguage(accept, p.tags)
	}
	if d.Kind == core.Unavailable || d.Kind == core.Limited {
		key.seconds = max(1, int(math.Ceil(d.RetryAfter.Seconds())))
		key.retry = isRepeatable(r) || isPath(r, p.signInPath)
	}
	resp := core.Response{Status: d.Kind.Status(), Fields: p.fields[key.language]}
	shown := p.show(key)
	if id == "" && shown.SignIn.URL == "" && shown.SwitchAccount.URL == "" {
		resp.Body = kept.Body(&p.bodies, key, p.kept)
		if resp.Body == nil {
			return resp, errPage
		}
		return resp, nil
	}
	shown.RequestID = id
	if shown.SignIn.URL != "" {
		shown.SignIn.URL = template.URL(withReturnTo(p.signIn, r))
	}
	if shown.SwitchAccount.URL != "" {
		shown.SwitchAccount.URL = template.URL(withReturnTo(p.switchAccount, r))
	}
	var err error
	resp.Body, err = p.render(shown)
	return resp, err
}

var errPage = errors.New("the template failed")

// show returns the page for a key, with links without a path to return to.
func (p *page) show(key pageKey) Page {
	texts := p.texts[key.language]
	status := key.kind.Status()
	text := texts.of(status, key.code, key.message)
	shown := Page{
		Language: texts.Language, RightToLeft: texts.RightToLeft,
		Status: status, Code: key.code, Title: text.Title, Message: text.Message,
		RequestIDLabel: texts.RequestID, Style: p.style,
	}
	switch {
	case status == http.StatusUnauthorized, key.code == core.CodeStepUp:
		shown.SignIn = Link{texts.SignIn, template.URL(p.signIn)}
	case status == http.StatusForbidden && key.code != core.CodeCrossSite:
		shown.SwitchAccount = Link{texts.SwitchAccount, template.URL(p.switchAccount)}
		if p.contactURL != "" {
			shown.Contact = Link{fmt.Sprintf(texts.Contact, p.contactName), p.contactURL}
		}
	case key.seconds > 0:
		shown.Wait = texts.Wait(key.seconds)
		if key.retry {
			shown.Retry = texts.Retry
		}
	}
	return shown
}

// kept renders a page that is the same for every request, or returns nil.
func (p *page) kept(key pageKey) []byte {
	body, err := p.render(p.show(key))
	if err != nil {
		return nil
	}
	return body
}

func (p *page) render(shown Page) ([]byte, error) {
	var b bytes.Buffer
	if err := p.template.Execute(&b, shown); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
