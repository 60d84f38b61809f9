package casbinrules

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is how long Casbin's file reader lets a line be, in bytes with a
// carriage return and without the line feed.
const maxLine = 64<<10 - 1

// policyReader reads policy files for one model.
type policyReader struct {
	schema *schema
	config *settings
	// namesRoles says that g lines give roles to users.
	namesRoles bool
	texts      *texts
	rules      []*rule
	findings   []Finding
	// errors is how many of the findings are errors.
	errors int
	// joined are the rules so far as Casbin tells them apart.
	joined ruleTable
	// patterns are the doubtful ones tried so far.
	patterns map[patternKey]error
	// sources are what was read, by number, to find columns in.
	sources []*policySource
	// fields are those of the line at hand, plain their texts if it is a plain
	// one.
	fields []field
	plain  []string
	// Rules are cut from larger pieces.
	someRules []rule
}

type patternKey struct{ function, pattern string }

func newPolicyReader(s *schema, c *settings) *policyReader {
	return &policyReader{schema: s, config: c, namesRoles: s.namesRoles(), joined: newRuleTable(), patterns: map[patternKey]error{}}
}

func (r *policyReader) report(file string, line, column int, code, hint, format string, args ...any) {
	severity := r.config.severity(code)
	if severity == SeverityError {
		r.errors++
	}
	r.findings = append(r.findings, Finding{
		File: file, Line: line, Column: column, Severity: severity,
		Code: code, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// read adds a file's rules. It never fails: what it cannot take is a finding.
func (r *policyReader) read(file string, data []byte) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		r.report(file, 1, 1, codeBOM, "save it as UTF-8 without one", "the file begins with the byte order mark of UTF-16")
		return
	}
	if bytes.HasPrefix(data, []byte(bom)) {
		r.report(file, 1, 1, codeBOM, "save it as UTF-8 without one", "the file begins with a byte order mark")
		data = data[len(bom):]
	}
	text := string(data)
	// A rule has a comma, which most comments and empty lines have not.
	commas := strings.Count(text, ",")
	rules := min(strings.Count(text, "\n")+1, commas)
	r.expect(rules, commas+rules)
	r.begin(file, &policySource{text: text})
	for n := 1; len(text) > 0; n++ {
		r.config.pace.step()
		line, rest, _ := strings.Cut(text, "\n")
		if !r.readPlain(n, line) {
			r.readLine(file, n, line)
		}
		text = rest
	}
}

// begin goes on with another source of rules.
func (r *policyReader) begin(file string, source *policySource) {
	r.sources = append(r.sources, source)
	r.texts.files = append(r.texts.files, file)
}

func (r *policyReader) readLine(file string, n int, raw string) {
	if len(raw) > maxLine {
		r.report(file, n, maxLine+1, codeLineLength, "split it into several lines", "the line is longer than Casbin reads, %d bytes", maxLine)
		return
	}
	line, offset := trimmed(raw)
	if line == "" || line[0] == '#' {
		return
	}
	if !utf8.ValidString(line) {
		r.report(file, n, offset+invalidAt(line)+1, codeEncoding, "save the file as UTF-8", "the line is not valid UTF-8")
		if !r.config.asCasbin {
			return
		}
	}
	var problem *lineError
	r.fields, problem = splitLine(r.fields[:0], line, offset)
	if problem != nil {
		r.report(file, n, problem.column, codeQuoting, problem.hint, "%s", problem.message)
		return
	}
	r.add(file, n, r.fields)
}

// trimmed is a line without the blanks around it, and how many bytes precede
// it.
func trimmed(raw string) (line string, offset int) {
	return strings.TrimSpace(raw), len(raw) - len(strings.TrimLeftFunc(raw, unicode.IsSpace))
}

// invalidAt is the offset of the first byte that is not UTF-8.
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
