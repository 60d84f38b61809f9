package sample

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// CanonicalObject matches the objects that a gate may ask about: paths without empty
// segments, dot segments or backslashes, and names that do not look like a path.
const CanonicalObject = `(?s)\A(?:[^/].*|/|(?:/(?:[^/\\.][^/\\]*|\.[^/\\.][^/\\]*|\.\.[^/\\]+))+)\z`

// expression returns a regular expression for the texts that p matches. cut reports whether
// everything from the first question mark on is ignored, and exact whether the expression
// is equivalent to the pattern.
func expression(p casbinrules.Pattern) (expr string, cut, exact bool) {
	wild := strings.ReplaceAll(p.Text, "/*", "/.*")
	switch p.Function {
	case "keyMatch":
		if head, _, star := strings.Cut(p.Text, "*"); star {
			return `\A` + regexp.QuoteMeta(head), false, true
		}
	case "keyMatch2":
		return "^" + colon.ReplaceAllLiteralString(wild, "[^/]+") + "$", false, true
	case "keyMatch3":
		return "^" + braces.ReplaceAllLiteralString(wild, "[^/]+") + "$", false, true
	case "keyMatch4":
		names := brace4.FindAllString(wild, -1)
		slices.Sort(names)
		distinct := len(slices.Compact(slices.Clone(names))) == len(names)
		return "^" + brace4.ReplaceAllLiteralString(wild, "[^/]+") + "$", false, distinct
	case "keyMatch5":
		return "^" + braces.ReplaceAllLiteralString(wild, "[^/]+") + "$", true, true
	case "regexMatch":
		return p.Text, false, true
	case "globMatch":
		expr, exact = glob(p.Text)
		return expr, false, exact
	case "ipMatch", "<":
		return "", false, false
	}
	return `\A` + regexp.QuoteMeta(p.Text) + `\z`, false, true
}

// isLiteral reports whether a pattern matches only its own text.
func isLiteral(p casbinrules.Pattern) bool {
	switch p.Function {
	case "keyMatch":
		return !strings.Contains(p.Text, "*")
	case "keyMatch2", "keyMatch3", "keyMatch4", "globMatch":
		return plainText.MatchString(p.Text)
	case "keyMatch5", "regexMatch", "ipMatch", "<":
		return false
	}
	return true
}

var plainText = regexp.MustCompile(`^[A-Za-z0-9_/-]+$`)

// The parameters of Casbin's functions, in the form in which these find them.
var (
	braces = regexp.MustCompile(`\{[^/]+\}`)
	brace4 = regexp.MustCompile(`{([^/]+)}`)
)

// glob returns a regular expression for a pattern of globMatch. It is not exact for
// alternatives with more than plain text, for negated classes, which may match a slash, and
// for "**" that occurs more than once or with nothing after its slash.
func glob(pattern string) (expr string, exact bool) {
	if strings.Count(pattern, "**") > 1 || strings.Contains(pattern, "***") || strings.HasSuffix(pattern, "**/") {
		return "", false
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(pattern); i++ {
		rest := pattern[i:]
		atStart := i == 0 || pattern[i-1] == '/'
		switch c := pattern[i]; {
		case rest == "/**":
			b.WriteString(`(?:/.*)?`)
			i += 2
		case atStart && rest == "**":
			b.WriteString(`.*`)
			i++
		case atStart && strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 2
		case c == '*':
			b.WriteString(`[^/]*`)
		case c == '?':
			b.WriteString(`[^/]`)
		case c == '\\' && len(rest) > 1:
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case c == '[' || c == '{':
			part, n, ok := bracketed(rest)
			if !ok {
				return "", false
			}
			b.WriteString(part)
			i += n - 1
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	b.WriteString(`\z`)
	return b.String(), true
}

// bracketed returns a regular expression for a class or for alternatives, and their length
// in the pattern in bytes.
func bracketed(rest string) (expr string, n int, ok bool) {
	if rest[0] == '[' {
		end := strings.IndexByte(rest, ']')
		if end < 2 || strings.ContainsAny(rest[1:end], `\[/!^&`) {
			return "", 0, false
		}
		return rest[:end+1], end + 1, true
	}
	end := strings.IndexByte(rest, '}')
	if end < 0 || strings.ContainsAny(rest[1:end], `\/{[*?`) {
		return "", 0, false
	}
	parts := strings.Split(rest[1:end], ",")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return "(?:" + strings.Join(parts, "|") + ")", end + 1, true
}
