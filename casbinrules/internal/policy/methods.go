package policy

import (
	"iter"
	"maps"
	"net/http"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// IsUsual reports whether "*" in a policy includes the method: those of RFC 9110
// §9.3 without TRACE and CONNECT, and PATCH (RFC 5789).
func IsUsual(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// Methods returns the methods that a rule names literally: its action, or the words
// of an action that is a pattern.
func Methods(s *model.Schema, r Rule) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !r.IsPolicy() {
			return
		}
		for _, column := range s.Actions {
			action := r.Field(column)
			if !s.ActionPattern {
				if action != "*" && !yield(action) {
					return
				}
				continue
			}
			for word := range Words(action) {
				if !yield(word) {
					return
				}
			}
		}
	}
}

// Words returns the runs of letters, digits, "-" and "_" in a pattern, without
// escaped characters such as \w.
func Words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		for i := 0; i <= len(text); i++ {
			if i < len(text) && (pattern.IsNameByte(text[i]) && text[i] != '.' || text[i] == '-') {
				continue
			}
			if start < i && !yield(text[start:i]) {
				return
			}
			if i < len(text) && text[i] == '\\' {
				i++
			}
			start = i + 1
		}
	}
}

// NamesMethod reports whether a rule names method.
func NamesMethod(s *model.Schema, r Rule, method string) bool {
	for m := range Methods(s, r) {
		if m == method {
			return true
		}
	}
	return false
}

// NamedMethods returns the methods that rules name.
func NamedMethods(s *model.Schema, rules Rules) map[string]bool {
	named := map[string]bool{}
	known := make([]bool, TextsOf(rules).Numbers()) // actions seen so far
	for _, r := range rules.All() {
		if !r.IsPolicy() {
			continue
		}
		if len(s.Actions) == 1 {
			action := r.Number(s.Actions[0])
			if known[action] {
				continue
			}
			known[action] = true
		}
		for method := range Methods(s, r) {
			named[method] = true
		}
	}
	return named
}

// Named returns the methods that the revised rules name; named are those that the
// rules in before name.
func (v *Revision) Named(s *model.Schema, named map[string]bool, before Rules) map[string]bool {
	now := maps.Clone(named)
	for _, r := range v.Added().All() {
		for method := range Methods(s, r) {
			now[method] = true
		}
	}
	gone := map[string]bool{} // unless another rule names them, usually one of the first
	for _, r := range v.Removed(before).All() {
		for method := range Methods(s, r) {
			gone[method] = true
		}
	}
	for i := 0; i < v.Lines.Len() && len(gone) > 0; i++ {
		for method := range Methods(s, v.Lines.At(i)) {
			delete(gone, method)
		}
	}
	for method := range gone {
		delete(now, method)
	}
	return now
}

// RulesFor returns the rules that may decide about an unusual method: those that
// name it, those that deny, and role links.
func RulesFor(s *model.Schema, method string, rules Rules) Rules {
	var kept Rules
	for _, r := range rules.All() {
		if !r.IsPolicy() || EffectOf(s, r) == "deny" || NamesMethod(s, r, method) {
			kept.Add(r)
		}
	}
	return kept
}
