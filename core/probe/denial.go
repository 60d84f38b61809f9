package probe

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

var (
	deniedWords   = regexp.MustCompile(`(?i)\b(access( is| was)? (denied|forbidden)|permission denied|not (authorized|authorised|permitted|allowed to)|unauthori[sz]ed|forbidden|(please |must )(sign|log) ?in|(sign|log) ?in (required|to continue|first)|authentication( is)? required|login required|(do not|don't) have (access|permission)|no access|not signed in|not logged in)\b`)
	passwordField = regexp.MustCompile(`(?i)<input\b[^>]*\btype\s*=\s*["']?password`)
	// messageNames and statusNames are JSON members that say what went wrong.
	messageNames = []string{"error", "message", "msg", "detail", "reason", "error_description", "status", "code", "result"}
	statusNames  = []string{"status", "code", "statuscode", "status_code", "error_code", "errorcode"}
)

// shortText is the maximum length, in bytes, of a text that says only that access
// is denied.
const shortText = 400

// denial reports whether an answer says that access is denied, and not only contains such
// words somewhere in a page or a list.
func denial(x Exchange) bool {
	var object map[string]any
	switch body := strings.TrimSpace(x.Body); {
	case strings.HasPrefix(body, "["):
		return false
	case json.Unmarshal([]byte(body), &object) == nil:
		return denies(object)
	case isPage(x) || strings.HasPrefix(body, "<"):
		for _, m := range headings.FindAllStringSubmatch(body, -1) {
			if deniedWords.MatchString(visible(m[2])) {
				return true
			}
		}
		text := strings.TrimSpace(visible(body))
		return len(text) < shortText && deniedWords.MatchString(text)
	default:
		return len(body) < shortText && deniedWords.MatchString(body)
	}
}

// denies reports whether a JSON object says that access is denied, in one of its members or
// in an error object.
func denies(object map[string]any) bool {
	for name, value := range object {
		name = strings.ToLower(name)
		switch v := value.(type) {
		case string, float64:
			text := fmt.Sprint(v)
			if slices.Contains(statusNames, name) && (text == "401" || text == "403") || slices.Contains(messageNames, name) && deniedWords.MatchString(text) {
				return true
			}
		case map[string]any:
			if strings.HasPrefix(name, "err") && denies(v) {
				return true
			}
		case []any:
			for _, one := range v {
				if inner, ok := one.(map[string]any); ok && strings.HasPrefix(name, "err") && denies(inner) {
					return true
				}
			}
		}
	}
	return false
}

// visible returns the text of a page without comments, markup, style sheets and scripts.
func visible(page string) string {
	return html.UnescapeString(markup.ReplaceAllString(styleBlocks.ReplaceAllString(page, " "), " "))
}

// signInForm reports whether an answer is a page with a password field.
func signInForm(x Exchange) bool { return isPage(x) && passwordField.MatchString(x.Body) }
