package policy

import (
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// readPlain keeps the rule of a line that is good beyond doubt, as most lines
// are, with a fraction of the work. It returns false for any other line, and
// has then done nothing.
func (r *reader) readPlain(n int, raw string) bool {
	if len(raw) > MaxLine {
		return false
	}
	if last := len(raw) - 1; last >= 0 && raw[last] == '\r' {
		raw = raw[:last]
	}
	var ok bool
	if r.values, ok = splitPlain(r.values[:0], raw); !ok || !r.fits(r.values) {
		return false
	}
	made := r.newRule(n, r.values)
	r.keep(made, made.Numbers())
	return true
}

// splitPlain is SplitLine for printable ASCII without quotes and without "#",
// no blanks around it, and fields that are neither empty nor end in a blank.
func splitPlain(fields []string, line string) (_ []string, ok bool) {
	if line == "" || line[0] == ' ' || line[len(line)-1] == ' ' {
		return fields, false
	}
	start := 0
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ',':
			if i == start || line[i-1] == ' ' {
				return fields, false
			}
			fields = append(fields, line[start:i])
			for i+1 < len(line) && line[i+1] == ' ' {
				i++
			}
			start = i + 1
		case c < ' ' || c > '~' || c == '"' || c == '#':
			return fields, false
		}
	}
	return append(fields, line[start:]), start < len(line)
}

// fits reports whether plain fields make a rule of the model to which there is
// nothing to say.
func (r *reader) fits(values []string) bool {
	want, ok := r.width(values[0])
	if !ok || len(values)-1 != want {
		return false
	}
	if values[0] != "p" {
		return true
	}
	fields, s := values[1:], r.schema
	if s.Eft >= 0 && !isEffect(fields[s.Eft]) || s.Priority >= 0 && !isInteger(fields[s.Priority]) {
		return false
	}
	for _, c := range s.TypedColumns {
		if _, ok := model.ParseValue(c.Kind, fields[c.Column]); !ok {
			return false
		}
	}
	for _, p := range s.Patterns {
		if r.tryPattern(p.Function, fields[p.Column]) != nil {
			return false
		}
	}
	return true
}
