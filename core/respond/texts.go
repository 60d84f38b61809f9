package respond

import (
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// Wording is the text of a page about a denial.
type Wording struct{ Title, Message string }

// Texts holds the texts of pages in one language. Start from [English] or [German]
// to change a few. Texts are plain: markup in them is escaped.
type Texts struct {
	// Language is the language's tag (RFC 5646), such as "en" or "de-CH".
	Language string
	// RightToLeft reports whether the language is written from right to left.
	RightToLeft bool
	// Denials has a text for each code of package core, and may have texts for
	// codes of the application's own rules. Any other code is shown with the title
	// of its status and the message of the denial.
	Denials map[string]Wording
	// SignIn, SwitchAccount and Retry are the texts of links.
	SignIn, SwitchAccount, Retry string
	// Contact is the text of the link of [WithContact], in which %s stands for the
	// link's own text.
	Contact string
	// Wait says how long to wait, in whole seconds, at least one.
	Wait func(seconds int) string
	// RequestID is the label in front of the request's ID.
	RequestID string
}

// statusCodes maps a status to the code whose title stands for it.
var statusCodes = map[int]string{
	http.StatusBadRequest:          core.CodeInvalidRequest,
	http.StatusUnauthorized:        core.CodeAuthenticationRequired,
	http.StatusForbidden:           core.CodeForbidden,
	http.StatusTooManyRequests:     core.CodeTooManyAttempts,
	http.StatusInternalServerError: core.CodeInternal,
	http.StatusServiceUnavailable:  core.CodeUnavailable,
}

// coreCodes lists the codes of package core.
var coreCodes = []string{
	core.CodeAuthenticationRequired, core.CodeInvalidCredentials, core.CodeInvalidToken, core.CodeInvalidRequest,
	core.CodeAmbiguousPath, core.CodeForbidden, core.CodeInsufficientScope, core.CodeStepUp, core.CodeCrossSite,
	core.CodeTooManyAttempts, core.CodeUnavailable, core.CodeInternal,
}

// check returns an error for texts that a page would lack.
func (t Texts) check() error {
	switch {
	case !isLanguage(t.Language):
		return errors.New("the language is not a language tag such as \"en\" (RFC 5646)")
	case t.SignIn == "" || t.SwitchAccount == "" || t.Retry == "" || t.RequestID == "":
		return errors.New("the text for sign-in, switch-account, retry or request ID is empty")
	case strings.Count(t.Contact, "%s") != 1 || strings.Count(t.Contact, "%") != 1:
		return fmt.Errorf("contact %q: must contain %%s once, and no other %%", t.Contact)
	case t.Wait == nil || t.Wait(1) == "":
		return errors.New("the text for the wait is empty")
	}
	for _, code := range coreCodes {
		if text := t.Denials[code]; text.Title == "" || text.Message == "" {
			return fmt.Errorf("no title or message for %q", code)
		}
	}
	return nil
}

// of returns the text for a denial. Default messages of package core are replaced
// by the language's; any other message was set on purpose.
func (t *Texts) of(status int, code, message string) Wording {
	if text, ok := t.Denials[code]; ok {
		return text
	}
	text := t.Denials[statusCodes[status]]
	if message != "" {
		text.Message = oneLine(message)
	}
	return text
}

// clone returns a deep copy.
func (t Texts) clone() *Texts {
	t.Denials = maps.Clone(t.Denials)
	return &t
}

// Link is a link of a page. It is shown when it has a URL.
type Link struct {
	Text string
	// URL is checked where it is set, and escaped by the template.
	URL template.URL
}
