// Package policy parses the rules and role links of a policy for a model, each with
// its file and line, and follows the links.
package policy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// MaxLine is the maximum length of a line in Casbin's file reader, in bytes, with a
// carriage return and without the line feed.
const MaxLine = 64<<10 - 1

// reader reads policy files for one model.
type reader struct {
	schema   *model.Schema
	settings *model.Settings
	// namesRoles reports that g lines assign roles to users.
	namesRoles bool
	Texts      *Texts
	Rules      Rules
	Findings   []model.Finding
	// Errors is the number of findings that are errors.
	Errors int
	// joined finds rules that Casbin cannot tell apart.
	joined ruleTable
	// patterns caches the errors of patterns that had to be compiled.
	patterns map[pattern.Key]error
	// sources are the files and rows that were read, by number, to look up columns.
	sources []*source
	// fields are those of the current line, and values their texts, some of them in
	// unquoted.
	fields   []field
	values   []string
	unquoted strings.Builder
}

func NewReader(s *model.Schema, c *model.Settings) *reader {
	return &reader{schema: s, settings: c, namesRoles: s.NamesRoles(), joined: newRuleTable(), patterns: map[pattern.Key]error{}}
}

func (r *reader) report(file string, line, column int, code, hint, format string, args ...any) {
	severity := r.settings.Severity(code)
	if severity == model.SeverityError {
		r.Errors++
	}
	r.Findings = append(r.Findings, model.Finding{
		File: file, Line: line, Column: column, Severity: severity,
		Code: code, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// Read adds the rules of a file. It never fails: anything invalid is a finding.
func (r *reader) Read(file string, data []byte) {
	switch model.ReportByteOrderMark(data, r.reporter(file, 1)) {
	case "":
	case model.BOM:
		data = data[len(model.BOM):]
	default:
		return // every line would have findings
	}
	text := string(data)
	// A rule has a comma, which most comments and empty lines do not have.
	commas := strings.Count(text, ",")
	rules := min(strings.Count(text, "\n")+1, commas)
	r.reserve(rules, commas+rules)
	r.beginSource(file, &source{text: data})
	for n := 1; len(text) > 0; n++ {
		r.settings.Pace.Step()
		line, rest, _ := strings.Cut(text, "\n")
		r.readLine(file, n, line)
		text = rest
	}
}

// beginSource starts another source of rules.
func (r *reader) beginSource(file string, source *source) {
	r.sources = append(r.sources, source)
	r.Texts.Files = append(r.Texts.Files, file)
}

func (r *reader) readLine(file string, n int, raw string) {
	if line, ok := r.split(file, n, raw); ok && line != "" && line[0] != '#' {
		r.add(file, n, r.fields)
	}
}

// split returns a line without surrounding spaces and, unless it is empty or a comment,
// splits it into r.fields. ok is false for a line that Casbin does not read.
func (r *reader) split(file string, n int, raw string) (line string, ok bool) {
	if len(raw) > MaxLine {
		r.report(file, n, MaxLine+1, model.CodeLineLength, "split it into several lines", "the line is longer than Casbin reads, %d bytes", MaxLine)
		return "", false
	}
	line = strings.TrimSpace(raw)
	if line == "" {
		return line, true
	}
	offset := spaces(raw)
	if line[0] == '#' {
		model.ReportMisleading(line, offset+1, r.reporter(file, n))
		return line, true
	}
	if !utf8.ValidString(line) {
		r.report(file, n, offset+invalidAt(line)+1, model.CodeEncoding, "save the file as UTF-8", "the line is not valid UTF-8")
		if !r.settings.AsCasbin {
			return "", false
		}
	}
	var problem *lineError
	r.fields, problem = SplitLine(r.fields[:0], line, offset, &r.unquoted)
	if problem != nil {
		r.report(file, n, problem.column, model.CodeQuoting, problem.hint, "%s", problem.Message)
		return "", false
	}
	return line, true
}

// spaces returns the number of bytes before the first character that is no space.
func spaces(text string) int { return len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace)) }

// invalidAt returns the offset of the first byte that is not valid UTF-8.
func invalidAt(s string) int {
	for i, c := range s {
		if c == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return len(s)
}
