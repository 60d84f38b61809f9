package policy

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// maxPadded is the maximum width of an aligned column, in characters.
const maxPadded = 40

// Format returns a policy file with its fields aligned.
func Format(name string, text []byte) ([]byte, error) {
	f := formatter{reader: &reader{settings: &model.Settings{}}}
	f.read(name, text)
	if f.reader.Errors > 0 {
		return nil, &model.FindingsError{Findings: f.reader.Findings}
	}
	f.align()
	var b bytes.Buffer
	for _, line := range f.lines {
		b.WriteString(line.text)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// formatter holds the lines of one file.
type formatter struct {
	reader *reader
	lines  []formattedLine
}

// formattedLine is an empty line, a comment, or a rule with its fields as they are
// to be written.
type formattedLine struct {
	text   string
	fields []string
}

func (f *formatter) read(name string, text []byte) {
	if model.ReportByteOrderMark(text, f.reader.reporter(name, 1)) != "" {
		return
	}
	empty := true // leading empty lines are dropped, several in a row become one
	for n, raw := range strings.Split(string(text), "\n") {
		line, ok := f.reader.split(name, n+1, raw)
		switch {
		case !ok:
		case line == "":
			if !empty {
				f.lines = append(f.lines, formattedLine{})
			}
		case line[0] == '#':
			f.lines = append(f.lines, formattedLine{text: line})
		default:
			f.addRule(name, n+1, line)
		}
		empty = line == ""
	}
	for len(f.lines) > 0 && f.lines[len(f.lines)-1].isEmpty() {
		f.lines = f.lines[:len(f.lines)-1]
	}
}

func (l formattedLine) isEmpty() bool { return l.text == "" && l.fields == nil }

func (f *formatter) addRule(name string, n int, line string) {
	report := f.reader.reporter(name, n)
	checkText(f.reader.fields, report)
	checkFields(f.reader.fields, report)
	made := formattedLine{text: line}
	for _, field := range f.reader.fields {
		made.fields = append(made.fields, quoteField(field.Text))
	}
	f.lines = append(f.lines, made)
}

// quoteField returns a value as a field of a policy line, quoted if necessary.
func quoteField(value string) string {
	if value == "" || strings.ContainsAny(value, `,"#`) || strings.TrimSpace(value) != value {
		return `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
	}
	return value
}

// align aligns the rules of each block, separately for each kind of line.
func (f *formatter) align() {
	for start := 0; start < len(f.lines); {
		end := start
		for end < len(f.lines) && !f.lines[end].isEmpty() {
			end++
		}
		block := f.lines[start:end]
		widths := map[string][]int{}
		for _, line := range block {
			if line.fields != nil {
				widths[line.fields[0]] = widen(widths[line.fields[0]], line.fields)
			}
		}
		for i := range block {
			if fields := block[i].fields; fields != nil {
				if text := padded(fields, widths[fields[0]]); len(text) <= MaxLine { // otherwise it stays as it is
					block[i].text = text
				}
			}
		}
		start = end + 1
	}
}

// widen returns widths enlarged for all fields that are not too wide.
func widen(widths []int, fields []string) []int {
	for i, field := range fields {
		if i == len(widths) {
			widths = append(widths, 0)
		}
		if n := utf8.RuneCountInString(field); n <= maxPadded {
			widths[i] = max(widths[i], n)
		}
	}
	return widths
}

// padded joins fields so that each begins after the widest one of the column before.
func padded(fields []string, widths []int) string {
	var b strings.Builder
	for i, field := range fields {
		b.WriteString(field)
		if i == len(fields)-1 {
			break
		}
		b.WriteString(", ")
		b.WriteString(strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(field))))
	}
	return b.String()
}
