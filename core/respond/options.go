package respond

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures [New]. If an option is given twice, the last one counts.
type Option func(*settings) error

// WithAPI sets the formats for programs: the first is for those that name none. It
// is [Problem] by default. Pages are still offered, and so is text unless one of
// these formats sends it.
func WithAPI(first Format, others ...Format) Option {
	return func(s *settings) error {
		s.api = append([]Format{first}, others...)
		return nil
	}
}

// WithSignInPage names the sign-in page, a path of this site such as "/login", to
// which the page of a 401 then links. The link has the parameter [ReturnToParam] if
// the request was a GET or HEAD.
func WithSignInPage(path string) Option {
	return func(s *settings) error {
		s.signIn, s.login = path, nil
		_, err := checkPath("sign-in page", path)
		return err
	}
}

// WithSignInRedirect redirects people who open a page to the sign-in page at path
// with 303 in place of 401 (RFC 9110 §15.4.4), with the path they came from in the
// parameter [ReturnToParam]; the sign-in page checks it with [ReturnTo] before it
// redirects back.
//
// Only a GET or HEAD that prefers a page is redirected, and only if nothing
// indicates that a script, a frame or a program sent it: Sec-Fetch-Mode other than
// navigate, Sec-Fetch-Dest other than document, X-Requested-With or Authorization.
// Any other request gets its 401, as a page with a link as for [WithSignInPage] if
// it prefers one. So do a step-up, the sign-in page itself and a request that
// already has the parameter, to prevent loops, and robots.txt, favicon.ico and
// /.well-known/, which people do not open.
func WithSignInRedirect(path string) Option {
	return func(s *settings) error {
		u, err := checkPath("sign-in page", path)
		if err != nil {
			return err
		}
		s.signIn, s.login = path, &login{page: path, path: u.Path}
		return nil
	}
}

// WithSwitchAccount names a page, a path of this site, where a signed-in user can
// switch to another account. The page of a 403 then links to it, with
// [ReturnToParam] as in [WithSignInPage]. The page must not send signed-in users
// straight back.
func WithSwitchAccount(path string) Option {
	return func(s *settings) error {
		s.switchAccount = path
		_, err := checkPath("page to switch accounts", path)
		return err
	}
}

// WithContact sets whom to ask for access on the page of a 403: the text of the
// link, such as "the office", and its URL: https, http, mailto, tel or a path of
// this site.
func WithContact(text, link string) Option {
	return func(s *settings) error {
		u, err := url.Parse(link)
		switch {
		case strings.TrimSpace(text) == "":
			return errors.New("contact: no text")
		case err != nil:
			return fmt.Errorf("contact: %w", err)
		case u.Scheme == "" && isLocal(link), u.Scheme == "https" && u.Host != "", u.Scheme == "http" && u.Host != "",
			u.Scheme == "mailto", u.Scheme == "tel":
			s.contact = Link{Text: text, URL: template.URL(link)}
			return nil
		}
		return fmt.Errorf("contact %q: give an https, http, mailto or tel URL, or a path of this site", link)
	}
}

// WithTexts sets the texts of pages, one for each language; the first is for
// clients that prefer none of them. Accept-Language chooses among several (RFC 9110
// §12.5.4). The default is [English] only.
func WithTexts(texts ...Texts) Option {
	return func(s *settings) error {
		if len(texts) == 0 {
			return errors.New("texts: name at least one language")
		}
		seen := map[string]bool{}
		for _, t := range texts {
			if err := t.check(); err != nil {
				return fmt.Errorf("texts %q: %w", t.Language, err)
			}
			tag := strings.ToLower(t.Language)
			if seen[tag] {
				return fmt.Errorf("texts %q: given twice", t.Language)
			}
			seen[tag] = true
		}
		s.texts = texts
		return nil
	}
}

// WithTemplate sets the template of all pages, which is executed with a [Page].
// [New] tries it with every text. It must not be modified after that.
//
// The page may load and run nothing, and its only style is {{.Style}} in one
// style element, unless [WithContentSecurityPolicy] allows more.
func WithTemplate(t *template.Template) Option {
	return func(s *settings) error { return option.Set(&s.template, t, "template is nil") }
}

// WithStyle sets the style sheet inside pages. The hash that lets it through
// the content security policy is computed.
func WithStyle(css string) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.style, css, strings.Contains(strings.ToLower(css), "</") || strings.ContainsAny(css, "\r\x00"),
			"style: \"</\", carriage return and NUL cannot be inside a style element")
	}
}

// WithContentSecurityPolicy sets the content security policy of pages, for
// templates that load pictures, fonts or style sheets of the site.
func WithContentSecurityPolicy(policy string) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.policy, policy, policy == "" || !isVisible(policy),
			"content security policy: must be one line of visible characters")
	}
}

// WithRequestID names the header field with the request's ID, X-Request-Id by
// default; with "" no ID is repeated. A middleware in front of the gates sets it on
// the request. Only an ID of up to 128 letters, digits, ".", "_", "~" and "-" is
// repeated. A UUID becomes a urn:uuid in problem details.
func WithRequestID(field string) Option {
	return func(s *settings) error {
		if field != "" && !ascii.Only(field, "-_") {
			return fmt.Errorf("request ID: %q is not the name of a header field", field)
		}
		s.idField = field
		return nil
	}
}

func checkPath(what, path string) (*url.URL, error) {
	u, err := url.Parse(path)
	if err != nil || !isLocal(path) || strings.Contains(path, "#") {
		return nil, fmt.Errorf("%s %q: give a path of this site such as \"/login\"", what, path)
	}
	return u, nil
}

// isVisible reports whether s consists of visible ASCII and spaces.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
