package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// variant is another spelling of a path.
type variant struct{ name, target string }

// spellings returns other spellings of the path of a route that a router or a proxy may take
// for the same path. Letter case and suffixes are changed only in literal segments of the
// pattern, since another value of a parameter means another object.
func spellings(pattern, target string) []variant {
	target, query, _ := strings.Cut(target, "?")
	if query != "" {
		query = "?" + query
	}
	var made []variant
	add := func(name, path string) {
		if path != target && !slices.ContainsFunc(made, func(v variant) bool { return v.target == path+query }) {
			made = append(made, variant{name, path + query})
		}
	}
	parts := strings.Split(strings.TrimPrefix(target, "/"), "/")
	literal := literals(pattern, parts)
	slashes(add, target, parts)
	cases(add, parts, literal)
	encodings(add, parts)
	dots(add, parts)
	if last := len(parts) - 1; literal[last] {
		for _, v := range []variant{{"path parameter", ";x"}, {"encoded NUL", "%00"}, {"encoded space", "%20"}} {
			add(v.name, target+v.target)
		}
	}
	return made
}

// literals reports which segments of a path are literal in the pattern.
func literals(pattern string, parts []string) []bool {
	literal := make([]bool, len(parts))
	for i, s := range segments(pattern[max(strings.IndexByte(pattern, '/'), 0):]) {
		if i < len(parts) {
			literal[i] = s == parts[i] && s != ""
		}
	}
	return literal
}

func slashes(add func(name, path string), target string, parts []string) {
	if target == "/" {
		add("doubled slash", "//")
		return
	}
	if trimmed := strings.TrimRight(target, "/"); trimmed != target {
		add("no trailing slash", trimmed)
	} else {
		add("trailing slash", target+"/")
		add("two trailing slashes", target+"//")
		add("encoded trailing slash", target+"%2F")
	}
	add("leading slash doubled", "/"+target)
	add("leading slash tripled", "//"+target)
	for i := 1; i < len(parts); i++ {
		head, tail := "/"+strings.Join(parts[:i], "/"), strings.Join(parts[i:], "/")
		if tail == "" {
			continue
		}
		add("inner slash doubled", head+"//"+tail)
		add("encoded slash", head+"%2F"+tail)
		add("encoded slash, lower case", head+"%2f"+tail)
		add("backslash", head+`\`+tail)
		add("encoded backslash", head+"%5C"+tail)
	}
	add("encoded leading slash", "/%2F"+strings.TrimPrefix(target, "/"))
}

func cases(add func(name, path string), parts []string, literal []bool) {
	upper, title, all := slices.Clone(parts), slices.Clone(parts), slices.Clone(parts)
	for i, p := range parts {
		if !literal[i] || p == "" {
			continue
		}
		upper[i] = strings.ToUpper(p)
		title[i] = strings.ToUpper(p[:1]) + p[1:]
		all[i] = strings.ToLower(p)
		one := slices.Clone(parts)
		one[i] = upper[i]
		add("letter case of one segment", "/"+strings.Join(one, "/"))
	}
	add("upper case", "/"+strings.Join(upper, "/"))
	add("first letters in upper case", "/"+strings.Join(title, "/"))
	add("lower case", "/"+strings.Join(all, "/"))
}

func encodings(add func(name, path string), parts []string) {
	for i, p := range parts {
		if p == "" || strings.Contains(p, "%") {
			continue
		}
		for _, v := range []variant{
			{"encoded letter", fmt.Sprintf("%%%02x", p[0]) + p[1:]},
			{"encoded last letter", p[:len(p)-1] + fmt.Sprintf("%%%02X", p[len(p)-1])},
			{"doubly encoded letter", fmt.Sprintf("%%25%02x", p[0]) + p[1:]},
		} {
			one := slices.Clone(parts)
			one[i] = v.target
			add(v.name, "/"+strings.Join(one, "/"))
		}
	}
}

func dots(add func(name, path string), parts []string) {
	whole := strings.Join(parts, "/")
	add("dot segment", "/./"+whole)
	add("two dot segments", "/x/../"+whole)
	add("encoded dot segments", "/x/%2e%2e/"+whole)
	add("dot segment at the end", "/"+strings.TrimSuffix(whole, "/")+"/.")
	for i := 1; i < len(parts); i++ {
		if tail := strings.Join(parts[i:], "/"); tail != "" {
			add("inner dot segment", "/"+strings.Join(parts[:i], "/")+"/./"+tail)
		}
	}
}

// methodVariant is a request for the same path with another method.
type methodVariant struct {
	name, method, query string
	header              []core.Field
}

// overrides are fields by which clients name a method that they cannot send.
var overrides = []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}

// methods returns variants of a method that change nothing, or only what the method itself
// changes. Override fields for a safe method name another safe one, or one that does not
// exist.
func methods(method string) []methodVariant {
	var made []methodVariant
	if !slices.Contains(safe, method) {
		// A GET alone is no bypass: a sender may read what it must not change. One that
		// overrides the method is, and there is consent to that method.
		for _, name := range overrides {
			made = append(made, methodVariant{"GET with " + name + ": " + method, http.MethodGet, "", []core.Field{{Name: name, Value: method}}})
		}
		return append(made, methodVariant{"GET with _method=" + method, http.MethodGet, "_method=" + method, nil})
	}
	for _, m := range safe {
		if m != method {
			made = append(made, methodVariant{"method " + m, m, "", nil})
		}
	}
	for _, name := range overrides {
		for _, m := range []string{http.MethodHead, http.MethodOptions, "PROBE"} {
			if m != method {
				made = append(made, methodVariant{name + ": " + m, method, "", []core.Field{{Name: name, Value: m}}})
			}
		}
	}
	for _, m := range []string{http.MethodHead, http.MethodOptions} {
		if m != method {
			made = append(made, methodVariant{"_method=" + m, method, "_method=" + m, nil})
		}
	}
	return made
}

// twins are methods for the same change: if one is refused, the other must be, too.
var twins = map[string]string{http.MethodPut: http.MethodPatch, http.MethodPatch: http.MethodPut}

func withQuery(target, query string) string {
	if query == "" {
		return target
	}
	if strings.Contains(target, "?") {
		return target + "&" + query
	}
	return target + "?" + query
}
