package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
)

// Position is a place in a file, both counted from 1.
type Position struct{ Line, Column int }

// File is the text of a model, with the places of its definitions.
type File struct {
	Name string
	// Text is the text, and Casbin the model as Casbin parsed it, nil if it refuses
	// the text.
	Text   string
	Casbin bridge.Model
	// At is the place of each definition, by key such as "m".
	At map[string]Position
	// Constraints restrict the role links of the policy.
	Constraints []Constraint
	// lines are those of each definition, by its key; last is the key of the current
	// definition, "" for one that is not used.
	lines    map[string][]sourceLine
	last     string
	Settings *Settings
	Findings []Finding
}

// sourceLine is a line of a definition without surrounding spaces.
type sourceLine struct {
	text string
	at   Position
}

// sections are Casbin's section names with the keys that they define; only the
// first keys, since Casbin uses others only on request.
var sections = map[string]string{
	"request_definition": "r",
	"policy_definition":  "p",
	"role_definition":    "g",
	"policy_effect":      "e",
	"matchers":           "m",

	"constraint_definition": "c",
}

// MaxModelLine is the maximum length of a line that Casbin reads in one piece.
const MaxModelLine = 4096

func (f *File) Report(at Position, code, hint, format string, args ...any) {
	made := Finding{
		File: f.Name, Line: at.Line, Column: at.Column, Severity: f.Settings.Severity(code),
		Code: code, Message: fmt.Sprintf(format, args...), Hint: hint,
	}
	if !slices.Contains(f.Findings, made) { // a definition may contain a mistake several times
		f.Findings = append(f.Findings, made)
	}
}

// reporter returns what reports findings of one line.
func (f *File) reporter(line int) Reporter {
	return func(column int, code, hint, format string, args ...any) {
		f.Report(Position{line, column}, code, hint, format, args...)
	}
}

// Failed reports whether a finding refuses the model.
func (f *File) Failed() bool { return Refused(f.Findings) }

// ReadFile scans the text for positions and for what Casbin would skip silently,
// and then calls Casbin to read it.
func ReadFile(name, text string, c *Settings) *File {
	f := &File{Name: name, Text: text, At: map[string]Position{}, lines: map[string][]sourceLine{}, Settings: c}
	f.scan(text)
	f.readConstraints()
	casbin, err := c.Casbin.ReadModel(text)
	if err != nil && !f.Failed() {
		f.Report(Position{1, 1}, CodeModelSyntax, "", "casbin refuses the model: %s", FirstLine(err))
	}
	if err == nil {
		f.Casbin = casbin
	}
	return f
}

// scan records where definitions are. It reads lines as Casbin does: trimmed, with
// comments that begin with "#" or ";", and continued by a backslash at the end.
func (f *File) scan(text string) {
	section := ""
	continued := false
	var before previousLine
	if ReportByteOrderMark([]byte(text), f.reporter(1)) != "" {
		return
	}
	for i, raw := range strings.Split(text, "\n") {
		line := strings.TrimSpace(raw)
		at := Position{i + 1, strings.Index(raw, line) + 1}
		if len(raw) > MaxModelLine {
			f.Report(at, CodeModelSyntax, "break it with a backslash at the end of a line", "the line is longer than %d bytes", MaxModelLine)
		}
		ReportMisleading(line, at.Column, f.reporter(i+1))
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			if continued {
				before.ended = i + 1
			}
			continued = false
		case line[0] == '[' && line[len(line)-1] == ']':
			continued = false
			before = previousLine{}
			section = line[1 : len(line)-1]
			if sections[section] == "" {
				f.Report(at, CodeModelUnused, DidYouMean(section, slices.Sorted(maps.Keys(sections)),
					"Casbin knows request_definition, policy_definition, role_definition, policy_effect, matchers and constraint_definition"), "unknown section %q", section)
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
			f.lines[f.last] = append(f.lines[f.last], sourceLine{line, at})
			continued = strings.HasSuffix(line, `\`)
			before = previousLine{number: i + 1, text: line}
		}
	}
}

// define records one definition and refuses those that no decision would use.
func (f *File) define(section, line string, at Position) {
	key, _, ok := strings.Cut(line, "=")
	key = strings.TrimSpace(key)
	want := sections[section]
	unused := CodeModelUnused
	if want == "c" {
		unused = CodeModelConstraint // Casbin would skip it, so it would not be checked
	}
	switch {
	case !ok:
		f.Report(at, CodeModelSyntax, `write "key = value"`, "the line has no =")
	case want == "":
		// The section has been reported, or there is none yet.
		if section == "" {
			f.Report(at, CodeModelSyntax, "begin with [request_definition]", "the definition %q stands before any section", key)
		}
	case key != want && !(want == "g" && isRoleKey(key)) && !(want == "c" && isConstraintKey(key)):
		f.Report(at, unused, "name it "+want+", or remove it", "definition %q in section %s would not be used", key, section)
	case f.At[key] != Position{}:
		f.Report(at, unused, "keep one of them", "%q is defined a second time, and the definition in line %d would not be used", key, f.At[key].Line)
	default:
		f.At[key], f.last = at, key
	}
}

// isRoleKey reports whether key is "g2", "g3", …
func isRoleKey(key string) bool {
	return len(key) == 2 && key[0] == 'g' && '2' <= key[1] && key[1] <= '9'
}

// definition returns the definition with a key, empty if there is none.
func (f *File) definition(key string) bridge.Definition {
	def, _ := f.Casbin.Definition(key)
	return def
}

// FirstLine returns the first line of an error's text, since Casbin includes stack
// traces in errors.
func FirstLine(err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return strings.TrimSpace(line)
}

// Has reports whether there is a finding with this code.
func (f *File) Has(code string) bool {
	return slices.ContainsFunc(f.Findings, func(found Finding) bool { return found.Code == code })
}
