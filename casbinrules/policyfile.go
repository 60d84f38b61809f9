package casbinrules

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is how long Casbin's file reader lets a line be, in bytes with a
// carriage return and without the line feed.
const maxLine = 64<<10 - 1

// rule is one line of a policy.
type rule struct {
	file string
	line int32
	// values are the fields, the kind of line ("p", "g") first.
	values []string
	// begins is where the reader noted the columns that the fields begin in.
	begins int32
}

// kind is what the line is: "p", "g", "g2" …
func (r *rule) kind() string { return r.values[0] }

// fields are the fields as the model defines them, without the kind.
func (r *rule) fields() []string { return r.values[1:] }

// place is "policy.csv:12".
func (r *rule) place() string { return path.Base(r.file) + ":" + strconv.Itoa(int(r.line)) }

// policyReader reads policy files for one model.
type policyReader struct {
	schema   *schema
	config   *config
	rules    []*rule
	findings []Finding
	// errors is how many of the findings are errors.
	errors int
	// joined are the rules so far as Casbin tells them apart: by a hash of kind
	// and fields joined with commas, or the next number that is free.
	joined map[uint64]*rule
	seed   maphash.Seed
	// patterns are the doubtful ones tried so far.
	patterns map[patternKey]error
	// columns are where the fields of all rules begin; see rule.begins. They
	// are needed for findings only, and let go with the reader.
	columns []int32
	// fields are those of the line at hand.
	fields []field
	// Rules and their fields are cut from larger pieces.
	someRules  []rule
	someValues []string
}

type patternKey struct{ function, pattern string }

func newPolicyReader(s *schema, c *config) *policyReader {
	return &policyReader{
		schema: s, config: c,
		joined: map[uint64]*rule{}, seed: maphash.MakeSeed(), patterns: map[patternKey]error{},
	}
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
	r.expect(bytes.Count(data, []byte("\n")) + 1)
	text := string(data) // of which every field is a part
	for n := 1; len(text) > 0; n++ {
		line, rest, _ := strings.Cut(text, "\n")
		r.readLine(file, n, line)
		text = rest
	}
}

// expect makes room for at most n more rules.
func (r *policyReader) expect(n int) {
	r.rules = slices.Grow(r.rules, n)
	r.columns = slices.Grow(r.columns, 4*n)
	if len(r.joined) == 0 {
		r.joined = make(map[uint64]*rule, n)
	}
}

func (r *policyReader) readLine(file string, n int, raw string) {
	if len(raw) > maxLine {
		r.report(file, n, maxLine+1, codeLineLength, "split it into several lines", "the line is longer than Casbin reads, %d bytes", maxLine)
		return
	}
	line := strings.TrimSpace(raw)
	if line == "" || line[0] == '#' {
		return
	}
	offset := len(raw) - len(strings.TrimLeftFunc(raw, unicode.IsSpace))
	if isASCII(line) {
		// Nothing to see, and most lines are so.
	} else if !utf8.ValidString(line) {
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
