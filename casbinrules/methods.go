package casbinrules

import (
	"iter"
	"maps"
	"net/http"
)

// isUsual reports whether "*" in a policy covers the method: those of
// RFC 9110 §9.3 without TRACE and CONNECT, and PATCH (RFC 5789).
func isUsual(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// methods are the methods a rule names literally: its action, or the words of
// an action that is a pattern.
func (s *schema) methods(r *rule) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !r.isPolicy() {
			return
		}
		for _, column := range s.actions {
			action := r.field(column)
			if !s.actionPattern {
				if action != "*" && !yield(action) {
					return
				}
				continue
			}
			for word := range words(action) {
				if !yield(word) {
					return
				}
			}
		}
	}
}

// words are the runs of letters, digits, "-" and "_" in a pattern, without
// escaped characters such as \w.
func words(pattern string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		for i := 0; i <= len(pattern); i++ {
			if i < len(pattern) && (isNameByte(pattern[i]) && pattern[i] != '.' || pattern[i] == '-') {
				continue
			}
			if start < i && !yield(pattern[start:i]) {
				return
			}
			if i < len(pattern) && pattern[i] == '\\' {
				i++
			}
			start = i + 1
		}
	}
}

// ruleNames reports whether a rule names method.
func (s *schema) ruleNames(r *rule, method string) bool {
	for m := range s.methods(r) {
		if m == method {
			return true
		}
	}
	return false
}

// namedMethods are the methods that rules name.
func namedMethods(s *schema, rules []*rule) map[string]bool {
	named := map[string]bool{}
	known := map[int32]map[string]bool{}
	for _, r := range rules {
		before := len(known)
		set := s.methodSet(r, known)
		if len(known) > before || len(s.actions) != 1 { // else it has been taken
			maps.Copy(named, set)
		}
	}
	return named
}

// methodSet is the methods that a rule names. known keeps them by the
// number of the action, of which there are few.
func (s *schema) methodSet(r *rule, known map[int32]map[string]bool) map[string]bool {
	if !r.isPolicy() {
		return nil
	}
	action := int32(0)
	if len(s.actions) == 1 {
		action = r.number(s.actions[0])
		if set, ok := known[action]; ok {
			return set
		}
	}
	set := map[string]bool{}
	for method := range s.methods(r) {
		set[method] = true
	}
	if len(s.actions) == 1 {
		known[action] = set
	}
	return set
}

// rulesFor are the rules that may decide about an unusual method: those that
// name it, those that deny, and role links.
func (s *schema) rulesFor(method string, rules []*rule) []*rule {
	var kept []*rule
	for _, r := range rules {
		if !r.isPolicy() || s.effectOf(r) == "deny" || s.ruleNames(r, method) {
			kept = append(kept, r)
		}
	}
	return kept
}
