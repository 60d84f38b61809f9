package casbinrules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2/model"
)

// position is a place in a file, both counted from 1.
type position struct{ line, column int }

// modelFile is a model text that Casbin reads, with the places of its
// definitions.
type modelFile struct {
	name   string
	casbin model.Model
	// at is where each definition stands, by key such as "m".
	at map[string]position
	// lines are those of each definition, by its key; last is the key of the one
	// at hand, "" for one that is not used.
	lines    map[string][]modelLine
	last     string
	config   *settings
	findings []Finding
}

// modelLine is a line of a definition without the blanks around it.
type modelLine struct {
	text string
	at   position
}

// sections are Casbin's section names with the keys they define; those of the
// first definition only, since Casbin uses others on special request only.
var sections = map[string]string{
	"request_definition": "r",
	"policy_definition":  "p",
	"role_definition":    "g",
	"policy_effect":      "e",
	"matchers":           "m",
}

// bom is a byte order mark in UTF-8.
const bom = "\ufeff"

// maxModelLine is how long a line Casbin reads in one piece.
const maxModelLine = 4096

func (f *modelFile) report(at position, code, hint, format string, args ...any) {
	f.findings = append(f.findings, Finding{
		File: f.name, Line: at.line, Column: at.column, Severity: f.config.severity(code),
		Code: code, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// failed reports whether a finding refuses the model.
func (f *modelFile) failed() bool { return refused(f.findings) }

// readModel scans the text for positions and for what Casbin would skip
// silently, and has Casbin read it.
func readModel(name, text string, c *settings) *modelFile {
	f := &modelFile{name: name, at: map[string]position{}, lines: map[string][]modelLine{}, config: c}
	f.scan(text)
	casbin, err := model.NewModelFromString(text)
	if err != nil && !f.failed() {
		f.report(position{1, 1}, codeModelSyntax, "", "casbin refuses the model: %s", firstLine(err))
	}
	if err == nil {
		f.casbin = casbin
	}
	return f
}

// scan notes where definitions stand. It reads lines as Casbin does: trimmed,
// "#" and ";" begin comments, a trailing backslash continues.
func (f *modelFile) scan(text string) {
	section := ""
	continued := false
	var before lineBefore
	for i, raw := range strings.Split(text, "\n") {
		line := strings.TrimSpace(raw)
		at := position{i + 1, strings.Index(raw, line) + 1}
		if len(raw) > maxModelLine {
			f.report(at, codeModelSyntax, "break it with a backslash at the end of a line", "the line is longer than %d bytes", maxModelLine)
		}
		if i == 0 && strings.HasPrefix(raw, bom) {
			f.report(position{1, 1}, codeBOM, "save the file as UTF-8 without one", "the file begins with a byte order mark")
			return
		}
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			if continued {
				before.ended = i + 1
			}
			continued = false
		case line[0] == '[' && line[len(line)-1] == ']':
			continued = false
			before = lineBefore{}
			section = line[1 : len(line)-1]
			if sections[section] == "" {
				f.report(at, codeModelUnused, didYouMean(section, slices.Sorted(maps.Keys(sections)),
					"Casbin knows request_definition, policy_definition, role_definition, policy_effect and matchers"), "unknown section %q", section)
			}
		default:
			if !continued {
				f.last = ""
			}
			switch {
			case continued:
			case before.number > 0 && !isDefinition(line):
				f.reportContinuation(line, at, before)
			default:
				f.define(section, line, at)
			}
			f.lines[f.last] = append(f.lines[f.last], modelLine{line, at})
			continued = strings.HasSuffix(line, `\`)
			before = lineBefore{number: i + 1, text: line}
		}
	}
}

// define notes one definition and refuses those that no decision would use.
func (f *modelFile) define(section, line string, at position) {
	key, _, ok := strings.Cut(line, "=")
	key = strings.TrimSpace(key)
	want := sections[section]
	switch {
	case !ok:
		f.report(at, codeModelSyntax, `write "key = value"`, "the line has no =")
	case want == "":
		// The section has been reported, or there is none yet.
		if section == "" {
			f.report(at, codeModelSyntax, "begin with [request_definition]", "the definition %q stands before any section", key)
		}
	case key != want && !(want == "g" && isRoleKey(key)):
		f.report(at, codeModelUnused, "name it "+want, "definition %q in section %s would not be used", key, section)
	case f.at[key] != position{}:
		f.report(at, codeModelUnused, "keep one of them", "%q is defined a second time, and what line %d says would not be used", key, f.at[key].line)
	default:
		f.at[key], f.last = at, key
	}
}

// isRoleKey reports whether key is "g2", "g3", …
func isRoleKey(key string) bool {
	return len(key) == 2 && key[0] == 'g' && '2' <= key[1] && key[1] <= '9'
}

// firstLine is the first line of an error's text: Casbin puts stack traces
// into errors.
func firstLine(err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return strings.TrimSpace(line)
}
