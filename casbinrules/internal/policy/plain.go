package policy

import (
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/plainline"
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
	if r.values, ok = plainline.Split(r.values[:0], raw); !ok || !r.fits(r.values) {
		return false
	}
	made := r.newRule(n, r.values)
	r.keep(made, made.Numbers())
	return true
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
