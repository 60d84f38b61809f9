package probe

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

var (
	formBlocks = regexp.MustCompile(`(?is)<form\b.*?</form>`)
	inputs     = regexp.MustCompile(`(?is)<input\b[^>]*>`)
	attribute  = regexp.MustCompile(`\s([^\s"'<>/=]+)\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+)`)
)

// form returns a request for the form of the login.
func (l *Login) form(base string) Request {
	return Request{Purpose: Form, Method: http.MethodGet, Target: base + l.Path, As: Anonymous, Route: -1}
}

// withFormFields returns a request to sign in with the hidden fields and cookies of the form
// that was just fetched, without which many services refuse it.
func (st *state) withFormFields(r Request) Request {
	if r.Purpose != Account || st.Login == nil || len(st.log) == 0 {
		return r
	}
	x := st.log[len(st.log)-1]
	if x.Purpose != Form || x.Err != nil || x.Status != http.StatusOK {
		return r
	}
	sent, err := url.ParseQuery(r.Content)
	if err != nil {
		return r
	}
	for _, field := range hiddenFields(x.Body) {
		if !sent.Has(field[0]) {
			r.Content += "&" + url.QueryEscape(field[0]) + "=" + url.QueryEscape(field[1])
		}
	}
	var cookies []string
	for _, c := range (&http.Response{Header: x.Answer.Header}).Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	if cookies != nil {
		r.Header = header(r.Header, core.Field{Name: "Cookie", Value: strings.Join(cookies, "; ")})
	}
	return r
}

// hiddenFields returns the names and values of the hidden fields of the form with a
// password field, or of all forms if there is none.
func hiddenFields(page string) [][2]string {
	for _, form := range formBlocks.FindAllString(page, -1) {
		if passwordField.MatchString(form) {
			page = form
			break
		}
	}
	var found [][2]string
	for _, tag := range inputs.FindAllString(page, -1) {
		input := attributes(tag)
		if ascii.EqualFold(input["type"], "hidden") && input["name"] != "" {
			found = append(found, [2]string{input["name"], input["value"]})
		}
	}
	return found
}

// attributes returns the values of the attributes of a tag, by their names in lower case. Of
// an attribute that is given twice, the first counts.
func attributes(tag string) map[string]string {
	all := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		name := ascii.Lower(m[1])
		if _, ok := all[name]; !ok {
			all[name] = html.UnescapeString(strings.Trim(m[2], `"'`))
		}
	}
	return all
}
