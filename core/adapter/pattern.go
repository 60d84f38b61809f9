package adapter

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// compare adds the path built from rt's pattern and wildcards as an alternative if
// it differs from the request's: chi's URLFormat makes the router match "/files/x"
// for "/files/x.json". If the request's path is a suffix of it, a prefix was
// stripped.
func (v View) compare(rt *core.Route) error {
	if u := v.Request.URL; v.matchesFast(rt.Pattern, u.Path) || v.matches(rt.Pattern, u.Path) || rt.Escaped && v.matches(rt.Pattern, u.RawPath) {
		return nil
	}
	if v.stripped(rt.Pattern, rt.Path) || strings.Contains(rt.Pattern, "/:") && !strings.Contains(rt.Pattern, "{") { // or it has another router's wildcards
		return nil
	}
	return v.judgeMade(rt, rt.Pattern, "")
}

// compareFront does what compare does for a pattern that ends in a slash, where no
// wildcard says what was matched below it: unless the path begins with the
// pattern with its wildcards filled in, it adds the path that was sent.
func (v View) compareFront(rt *core.Route, pattern string) error {
	if strings.IndexByte(pattern, '{') < 0 {
		return nil
	}
	path := v.Request.URL.Path
	if left, _ := v.follow(pattern, path); left == "" || v.matches(pattern, path) {
		return nil
	}
	if sent, err := url.ParseRequestURI(v.Request.RequestURI); err == nil {
		for at := range len(sent.Path) { // where the pattern begins: a prefix may be stripped in front of the mux
			if left, _ := v.follow(pattern, sent.Path[at:]); left != "" {
				continue
			}
			if before, ok := strings.CutSuffix(sent.Path, path); ok && at < len(before) {
				return nil // and behind it
			}
			if at > 0 {
				break
			}
			whole, err := View{&http.Request{URL: sent}}.Matched("")
			rt.Alternatives = append(rt.Alternatives, whole)
			return err
		}
	}
	return fmt.Errorf("%w: it does not begin with pattern %q with its wildcards filled in", core.ErrAmbiguousPath, v.Request.Pattern)
}

// compareRest does what compare does for a pattern that ends in a star or in
// "{name...}", which rt does not cover. It is not enough that the path ends in what
// that matched: URLFormat leaves "secret" of "/files/secret.secret" as well.
func (v View) compareRest(rt core.Route, pattern string) (core.Route, error) {
	front, name := pattern[:len(pattern)-1], "*"
	star := pattern[max(0, len(pattern)-2):] // there may be others in expressions
	if pattern[len(pattern)-1] != '*' {
		_, name, _ = cutWildcard(pattern[strings.LastIndexByte(pattern, '{'):])
		front, star = pattern[:strings.LastIndexByte(pattern, '{')], ""
		name = strings.TrimSuffix(name, "...")
	}
	rest := v.Request.PathValue(name)
	for _, path := range [...]string{rt.Path, v.Request.URL.Path} {
		before, ok := strings.CutSuffix(strings.TrimSuffix(path, "/"), strings.TrimSuffix(rest, "/"))
		if ok && rest != "" && strings.HasSuffix(before, "/") != strings.HasSuffix(front, "/") {
			continue
		}
		if ok && (v.matches(front, before) || v.stripped(front, before)) {
			return CutAtStar(rt, star, path, rest)
		}
	}
	err := v.judgeMade(&rt, front, rest)
	for _, made := range rt.Alternatives {
		if err == nil {
			rt, err = CutAtStar(rt, star, made.Path, rest)
		}
	}
	return rt, err
}

// judgeMade adds to rt the path that was matched in place of the request's: pattern
// with its wildcards filled in, followed by rest. If a name occurs twice, only its
// last value is known, and only the end of the request's path may differ.
func (v View) judgeMade(rt *core.Route, pattern, rest string) error {
	made, known := "", !rt.Escaped // or is made?
	left, behind := v.follow(pattern, rt.Path)
	if end, ok := strings.CutPrefix(behind, rest); ok && left == "" && strings.IndexByte(end, '/') < 0 {
		made = rt.Path[:len(rt.Path)-len(end)]
	} else {
		for pattern != "" {
			var literal, name string
			literal, name, pattern = cutWildcard(pattern)
			made += literal + v.Request.PathValue(name)
			known = known && !hasWildcard(pattern, name)
		}
		made += rest
	}
	if !known {
		return fmt.Errorf("%w: it is not pattern %q with its wildcards filled in", core.ErrAmbiguousPath, v.Request.Pattern)
	}
	rt.Alternatives = append(rt.Alternatives, core.Route{Pattern: rt.Pattern, Path: made})
	return judgeInner(rt, made)
}

// judgeInner adds to rt what was matched if made is from the pattern of a router inside
// another one, as chi before v5.3 sets it. The request's path then ends in made, except
// for suffixes such as ".json" and "/.json". Where in front of it the outer router began
// is unknown, since a middleware may have stripped a prefix for it, so the path is judged
// from each slash on, and no route is known.
func judgeInner(rt *core.Route, made string) error {
	made = strings.TrimSuffix(made, "/")
	path := strings.TrimSuffix(rt.Path, "/")
	at := strings.LastIndex(path, made)
	if made == "" {
		at = len(path) - len(dotSegments(path))
	}
	if at <= 0 {
		return nil
	}
	end := at + len(made)
	if suffix, _, _ := strings.Cut(path[end:], "/"); len(suffix)+len(dotSegments(path[end:])) < len(path[end:]) {
		return nil
	}
	if strings.HasPrefix(rt.Path[end:], "/") {
		end++
	}
	front := path[:at]
	if strings.Count(front, "/") > maxInner {
		return fmt.Errorf("%w: there are too many segments in front of what the router has matched", core.ErrAmbiguousPath)
	}
	rt.Pattern = ""
	for i := range rt.Alternatives {
		rt.Alternatives[i].Pattern = ""
	}
	for i := range front {
		if front[i] == '/' {
			rt.Alternatives = append(rt.Alternatives, core.Route{Path: rt.Path[i:end]})
		}
	}
	return nil
}

// dotSegments returns the segments at the end of path that begin with a dot, all that
// follow one another.
func dotSegments(path string) string {
	at := len(path)
	for {
		slash := strings.LastIndexByte(path[:at], '/')
		if slash < 0 || !strings.HasPrefix(path[slash:at], "/.") {
			return path[at:]
		}
		at = slash
	}
}

// maxInner is the maximum number of segments in front of what an inner router has
// matched. Each is another path to judge.
const maxInner = 16

// matchesFast is a fast path of matches for most requests: it reports false if
// it cannot decide cheaply. It is called for each request, and takes half of the time
// of matches for one wildcard and a third for two.
func (v View) matchesFast(pattern, path string) bool {
	for {
		wild := strings.IndexByte(pattern, '{')
		if wild < 0 {
			return path == pattern
		}
		if !strings.HasPrefix(path, pattern[:wild]) {
			return false
		}
		name, behind, _ := strings.Cut(pattern[wild+1:], "}")
		value := v.Request.PathValue(name)
		if path = path[wild:]; value == "" || !strings.HasPrefix(path, value) {
			return false
		}
		path, pattern = path[len(value):], behind
	}
}

// matches reports whether path is pattern with its wildcards filled in, ignoring a
// trailing slash.
func (v View) matches(pattern, path string) bool {
	pattern, path = v.follow(pattern, path)
	literal, name, behind := cutWildcard(pattern)
	return name == "" && behind == "" && strings.TrimSuffix(path, "/") == strings.TrimSuffix(literal, "/")
}

// stripped reports whether path is what is left of pattern, from one of its slashes on,
// with the wildcards filled in.
func (v View) stripped(pattern, path string) bool {
	inside := 0
	for i := range len(pattern) {
		switch pattern[i] {
		case '{':
			inside++
		case '}':
			inside--
		case '/':
			if inside == 0 && v.matches(pattern[i:], path) {
				return true
			}
		}
	}
	return path == ""
}

// follow returns the rest of pattern and of path from where path differs from
// pattern with its wildcards filled in.
func (v View) follow(pattern, path string) (patternLeft, pathLeft string) {
	for pattern != "" {
		literal, name, behind := cutWildcard(pattern)
		below, ok := strings.CutPrefix(path, literal)
		if !ok {
			break
		}
		value := v.Request.PathValue(name)
		if hasWildcard(behind, name) { // chi returns only the last value
			value, _, _ = strings.Cut(below, "/")
		}
		if below, ok = strings.CutPrefix(below, value); !ok {
			break
		}
		pattern, path = behind, below
	}
	return pattern, path
}

// hasWildcard reports whether pattern has a wildcard with the given name.
func hasWildcard(pattern, name string) bool {
	return pattern != "" && (strings.Contains(pattern, "{"+name+"}") || strings.Contains(pattern, "{"+name+":"))
}

// cutWildcard cuts a pattern after its first wildcard, "{name}" or chi's
// "{name:regexp}", if there is one. The literal before it is decoded. "{$}" has no
// name.
func cutWildcard(pattern string) (literal, name, rest string) {
	literal, inside, wild := strings.Cut(pattern, "{")
	if wild {
		end := strings.IndexByte(inside, '}')
		for end >= 0 && strings.Count(inside[:end], "{") > strings.Count(inside[:end], "}") { // in an expression
			if more := strings.IndexByte(inside[end+1:], '}'); more >= 0 {
				end += 1 + more
			} else {
				end = -1
			}
		}
		if name = inside; end >= 0 {
			name, rest = inside[:end], inside[end+1:]
		}
		name, _, _ = strings.Cut(name, ":")
		name = strings.TrimSuffix(name, "$")
	}
	if strings.IndexByte(literal, '%') >= 0 { // as ServeMux reads it
		if decoded, err := url.PathUnescape(literal); err == nil {
			literal = decoded
		}
	}
	return literal, name, rest
}

// isSubtree reports whether pattern ends in something that matches any number of
// segments: "/" or "{name...}" of a ServeMux, "*" of chi.
func isSubtree(pattern string) bool {
	if strings.HasSuffix(pattern, "...}") { // or an expression does
		return strings.IndexByte(pattern[strings.LastIndexByte(pattern, '{'):], ':') < 0
	}
	return strings.HasSuffix(pattern, "/") || strings.HasSuffix(pattern, "*")
}

// innerSlashes counts the slashes in the wildcards of pattern, "{name}" or chi's
// "{name:regexp}".
func (v View) innerSlashes(pattern string) int {
	n := 0
	for pattern != "" {
		var name string
		if _, name, pattern = cutWildcard(pattern); name != "" {
			n += InnerSlashes(v.Request.PathValue(name))
		}
	}
	return n
}

// splitPattern returns method and path of a ServeMux pattern "METHOD host/path".
func splitPattern(pattern string) (method, path string) {
	i := strings.IndexByte(pattern, '/')
	if i <= 0 {
		return "", pattern
	}
	for end := range i {
		if pattern[end] == ' ' || pattern[end] == '\t' {
			return pattern[:end], pattern[i:]
		}
	}
	return "", pattern[i:]
}
