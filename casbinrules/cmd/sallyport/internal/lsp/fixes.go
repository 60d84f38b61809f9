package lsp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

func deleteLine(*spot) (string, []splice) {
	return "Delete the line", []splice{{whole: true}}
}

// methodWord matches request methods in any letter case.
var methodWord = regexp.MustCompile(`(?i)\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT)\b`)

// write returns the fix that replaces the value of the field by what made returns for it,
// unless that is "" or the value itself.
func write(made func(s *spot, value string) string) func(*spot) (string, []splice) {
	return func(s *spot) (string, []splice) {
		value := made(s, s.value())
		if value == "" || value == s.value() {
			return "", nil
		}
		return "Write " + value, s.with(value)
	}
}

func upperMethods(_ *spot, value string) string {
	return methodWord.ReplaceAllStringFunc(value, strings.ToUpper)
}

// fixMethodList splits a field with several methods into one line each.
func fixMethodList(s *spot) (string, []splice) {
	methods := strings.FieldsFunc(s.value(), func(c rune) bool { return strings.ContainsRune("|,;/ +()^$", c) })
	if len(methods) < 2 || s.field == 0 || !strings.Contains(s.rest, "write a line for each") {
		return "", nil
	}
	var lines []string
	for _, method := range methods {
		upper := strings.ToUpper(method)
		if methodWord.FindString(upper) != upper {
			return "", nil
		}
		if line := s.lineWith(s.field, upper); !slices.Contains(lines, line) && !s.exists(upper) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return deleteLine(s)
	}
	return fmt.Sprintf("Write a line for each of %s", strings.Join(methods, ", ")),
		[]splice{{start: 0, end: len(s.text), text: strings.Join(lines, s.lineEnd())}}
}

// exists reports whether the policy already has this line with value in the field.
func (s *spot) exists(value string) bool {
	want := slices.Clone(s.fields)
	want[s.field].text = value
	return slices.ContainsFunc(s.rows, func(r row) bool {
		return slices.EqualFunc(r.fields, want, func(a, b field) bool { return a.text == b.text })
	})
}

// addMethod adds a copy of the line for the method that was forgotten.
func addMethod(named, forgotten string) func(*spot) (string, []splice) {
	return func(s *spot) (string, []splice) {
		value := s.value()
		if expression, ok := anchored(value); ok && expression != named {
			return "", nil
		}
		if s.field == 0 || !strings.Contains(value, named) || strings.Trim(value, "^$()?:") != named {
			return "", nil
		}
		return "Add the line with " + forgotten, []splice{{after: true, text: s.lineWith(s.field, strings.Replace(value, named, forgotten, 1))}}
	}
}

// anchored removes the anchors around a regular expression.
func anchored(value string) (string, bool) {
	inner, ok := strings.CutPrefix(value, "^")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, "$")
	return strings.Trim(inner, "()?:"), ok
}

func fixParent(s *spot) (string, []splice) {
	parent, ok := strings.CutSuffix(s.value(), "/*")
	if !ok || parent == "" || s.field == 0 {
		return "", nil
	}
	return "Add the line for " + parent, []splice{{after: true, text: s.lineWith(s.field, parent)}}
}

func fixSpace(s *spot) (string, []splice) {
	value := strings.TrimSpace(s.value())
	if value == "" {
		return "", nil
	}
	if s.field == 0 && len(s.fields) > 0 {
		f := s.fields[0]
		return "Remove the blanks", []splice{{start: f.start, end: f.end, text: quotedValue(value)}}
	}
	return "Remove the blanks", s.with(value)
}

// fixOtherQuotes removes the first and the last character of a field.
func fixOtherQuotes(s *spot) (string, []splice) {
	value := s.value()
	_, first := utf8.DecodeRuneInString(value)
	_, last := utf8.DecodeLastRuneInString(value)
	if len(value) <= first+last {
		return "", nil
	}
	return "Remove the quotes", s.with(value[first : len(value)-last])
}

// fixComment moves a comment at the end of a rule to the line before it. A "#" inside a
// word is taken to be part of it, and the field is quoted.
func fixComment(s *spot) (string, []splice) {
	if s.column >= len(s.text) || s.text[s.column] != '#' {
		return "", nil
	}
	if s.column > 0 && !strings.ContainsAny(s.text[s.column-1:s.column], " \t,") {
		return "Quote the field", s.with(strings.TrimRightFunc(s.value(), unicode.IsSpace))
	}
	rule := strings.TrimRight(s.text[:s.column], " \t,")
	return "Move the comment to a line of its own", []splice{{start: 0, end: len(s.text), text: strings.TrimSpace(s.text[s.column:]) + s.lineEnd() + rule}}
}

func fixSemicolons(s *spot) (string, []splice) {
	if strings.Contains(s.text, `"`) {
		return "", nil
	}
	var fields []string
	for f := range strings.SplitSeq(s.text, ";") {
		fields = append(fields, strings.TrimSpace(f))
	}
	return "Separate the fields by commas", []splice{{start: 0, end: len(s.text), text: strings.Join(fields, ", ")}}
}

func fixQuoting(s *spot) (string, []splice) {
	if s.field >= len(s.fields) || s.fields[s.field].quoted || !strings.Contains(s.value(), `"`) {
		return "", nil
	}
	f := s.fields[s.field]
	return "Quote the field", []splice{{start: f.start, end: f.end, text: quotedValue(strings.TrimRightFunc(f.text, unicode.IsSpace))}}
}

func fixControl(s *spot) (string, []splice) {
	for i, c := range s.text[min(s.column, len(s.text)):] {
		if i == 0 {
			return fmt.Sprintf("Remove the character %U", c), []splice{{start: s.column, end: s.column + len(string(c))}}
		}
	}
	return "", nil
}

func fixByteOrderMark(s *spot) (string, []splice) {
	if !strings.HasPrefix(s.doc.text, byteOrderMark) {
		return "", nil // editors do not show the byte order mark
	}
	return "Remove the byte order mark", []splice{{start: 0, end: len(byteOrderMark)}}
}

func fixAnchors(s *spot) (string, []splice) {
	value := s.value()
	if value == "" {
		return "", nil
	}
	return "Anchor the regular expression", s.with("^(?:" + value + ")$")
}

func lowerEffect(_ *spot, value string) string {
	value = strings.ToLower(strings.TrimSpace(value))
	if value != "allow" && value != "deny" {
		return ""
	}
	return value
}

func withSlash(_ *spot, value string) string { return "/" + value }

func withoutQuery(_ *spot, value string) string {
	path, _, _ := strings.Cut(value, "?")
	return path
}

// otherParameters rewrites the parameters of a path for the matcher's function, if that is
// what the finding suggests.
func otherParameters(s *spot, value string) string {
	if !strings.Contains(s.rest, "write :name") && !strings.Contains(s.rest, "write {name}") {
		return ""
	}
	segments := strings.Split(value, "/")
	for i, segment := range segments {
		name := strings.Trim(segment, ":{}<>[]")
		if name == segment || name == "" {
			continue
		}
		if end := strings.IndexAny(name, ":<"); end > 0 {
			name = name[:end] // without a constraint
		}
		segments[i] = ":" + name
		if strings.Contains(s.rest, "write {name}") {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// escapedDots escapes dots between letters with a backslash.
func escapedDots(s *spot, value string) string {
	if !strings.Contains(s.rest, `write \.`) {
		return ""
	}
	var b strings.Builder
	for i := range len(value) {
		if value[i] == '.' && (i == 0 || value[i-1] != '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

func fixExtraFields(s *spot) (string, []splice) {
	if s.field < 2 || !strings.Contains(s.rest, "Casbin ignores") {
		return "", nil
	}
	return "Remove what Casbin ignores", []splice{{start: s.fields[s.field-1].end, end: len(strings.TrimRightFunc(s.text, unicode.IsSpace))}}
}

// withoutLastSlash removes a trailing slash, which canonical paths never have.
func withoutLastSlash(s *spot, value string) string {
	if !strings.Contains(s.rest, "leave the last slash out") {
		return ""
	}
	return strings.TrimRight(value, "/")
}

// kindsInHint extracts the kinds of lines that the model defines from a hint.
var kindsInHint = regexp.MustCompile(`\(the model has (.*), in this letter case\)$`)

// fixKind changes the letter case of the line's kind to that of the model.
func fixKind(s *spot) (string, []splice) {
	kinds := kindsInHint.FindStringSubmatch(s.rest)
	if kinds == nil || len(s.fields) == 0 {
		return "", nil
	}
	f := s.fields[0]
	kind := strings.ToLower(f.text)
	if !slices.Contains(strings.Split(kinds[1], ", "), kind) {
		return "", nil
	}
	return "Write " + kind, []splice{{start: f.start, end: f.end, text: quotedValue(kind)}}
}

// timeInUTC converts a time with a zone to the format of Casbin. A time without a zone or
// without a time of day is ambiguous and has no fix.
func timeInUTC(_ *spot, value string) string {
	at, err := time.Parse(time.RFC3339, strings.Replace(value, " ", "T", 1))
	if at = at.UTC(); err != nil || at.Nanosecond() != 0 || at.Year() < 0 || at.Year() > 9999 {
		return ""
	}
	return at.Format(time.DateTime)
}

// effectLine matches the policy effect in a model.
var effectLine = regexp.MustCompile(`^\s*e\s*=\s*(.*\S)\s*$`)

// fixModelEffect fixes the spaces in a policy effect, which Casbin compares literally. It
// never turns the effect into one that allows by default.
func fixModelEffect(s *spot) (string, []splice) {
	at := effectLine.FindStringSubmatchIndex(s.text)
	if at == nil {
		return "", nil
	}
	letters := func(text string) string { return strings.Join(strings.Fields(text), "") }
	for _, effect := range closedEffects {
		if letters(s.text[at[2]:at[3]]) == letters(effect) {
			return "Write " + effect, []splice{{start: at[2], end: at[3], text: effect}}
		}
	}
	return "", nil
}
