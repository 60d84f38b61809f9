package probe

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// parameter matches a parameter of a route in the syntax of Gin, Echo, Fiber, net/http,
// chi and OpenAPI, with Fiber's constraints and optional mark.
var parameter = regexp.MustCompile(`:[A-Za-z0-9_]+(<[^>]*>)?\??|\{[^{}]*\}|[*+][A-Za-z0-9_]*`)

// digits is the value for a parameter that accepts only digits.
const digits = "987654321"

// SamplePath returns a path that matches a route's pattern, with word for each parameter
// and wildcard. A method or host in front of the pattern, as in net/http, is left out.
func SamplePath(pattern, word string) string {
	pattern = pattern[max(strings.IndexByte(pattern, '/'), 0):]
	made := parameter.ReplaceAllStringFunc(pattern, func(p string) string {
		switch {
		case p == "{$}":
			return ""
		case strings.Contains(p, "<int"), strings.Contains(p, "[0-9]"), strings.Contains(p, `\d`):
			return digits
		}
		return word
	})
	if !strings.HasPrefix(made, "/") {
		made = "/" + made
	}
	return made
}

// Match reports whether a pattern matches a request. A pattern is a path in which ":name",
// "{name}" and "*" match one segment, a final "/*" or "{name...}" everything below, and "*"
// within a segment any of its characters. A method may precede it, as in "GET /healthz".
func Match(pattern, method, target string) bool {
	if m, rest, ok := strings.Cut(pattern, " "); ok {
		if !strings.EqualFold(m, method) {
			return false
		}
		pattern = strings.TrimSpace(rest)
	}
	if pattern == target {
		return true
	}
	target, _, _ = strings.Cut(target, "?")
	want, have := segments(pattern), segments(target)
	for i, w := range want {
		rest := strings.HasSuffix(w, "...}") || i == len(want)-1 && strings.HasPrefix(w, "*")
		switch {
		case rest:
			return len(have) > i
		case i >= len(have) || !matchSegment(w, have[i]):
			return false
		}
	}
	return len(want) == len(have)
}

func segments(p string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(p, "{$}"), "/"), "/"), "/")
}

func matchSegment(pattern, segment string) bool {
	if isParameter(pattern) {
		return segment != ""
	}
	ok, err := path.Match(pattern, segment)
	return err == nil && ok || pattern == segment
}

func isParameter(segment string) bool {
	return strings.HasPrefix(segment, ":") || strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") || strings.HasPrefix(segment, "*")
}

// safe lists the methods that are sent without consent (RFC 9110 §9.2.1).
var safe = []string{http.MethodGet, http.MethodHead, http.MethodOptions}

// Sent reports whether a route is requested: its method is safe, or there is consent. A
// HEAD route with a GET route of the same pattern is tested with that one, and OPTIONS
// routes are not requested.
func (s *Settings) Sent(i int) bool {
	r := s.Routes[i]
	switch m := r.method(); {
	case m == http.MethodOptions:
		return false
	case m == http.MethodHead:
		return !slices.ContainsFunc(s.Routes, func(o Route) bool {
			return o.method() == http.MethodGet && o.Pattern == r.Pattern
		})
	default:
		return slices.Contains(safe, m) || r.Write
	}
}

func (r Route) method() string {
	switch r.Method {
	case "", "*", "ANY", "ALL":
		return http.MethodGet
	}
	return strings.ToUpper(r.Method)
}

func (r Route) target() string {
	if r.Path != "" {
		return r.Path
	}
	return SamplePath(r.Pattern, "1")
}
