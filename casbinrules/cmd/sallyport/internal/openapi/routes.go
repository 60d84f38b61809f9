package openapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// methods are the fields of a path item that hold operations.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// anyMethod are the methods of a route for all methods.
var anyMethod = []string{"get", "put", "post", "delete", "patch"}

// template converts a route pattern to OpenAPI's syntax, and returns the names of its
// parameters. Constraints on parameters are dropped, and optional parameters are treated as
// present.
func template(pattern string) (path string, names []string) {
	pattern = pattern[max(strings.IndexByte(pattern, '/'), 0):]
	var b strings.Builder
	for i := 0; i < len(pattern); {
		name, n := parameterAt(pattern[i:])
		switch {
		case n == 0, pattern[i] == '+' && (i == 0 || pattern[i-1] != '/'):
			b.WriteByte(pattern[i])
			i++
			continue
		case name != "$":
			name = uniqueName(name, names)
			names = append(names, name)
			b.WriteString("{" + name + "}")
		}
		i += n
	}
	if b.Len() == 0 {
		return "/", nil
	}
	return b.String(), names
}

// parameterAt returns the name and the length of the parameter at the beginning of s: for
// Gin, Echo and Fiber one that begins with ":", "*" or "+"; for net/http, chi and OpenAPI
// one in braces. "{$}" is the end of a path.
func parameterAt(s string) (name string, length int) {
	switch s[0] {
	case '{':
		depth := 0
		for i := range len(s) {
			switch s[i] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 0 {
				name, _, _ = strings.Cut(s[1:i], ":")
				return strings.TrimSuffix(name, "..."), i + 1
			}
		}
	case ':', '*', '+':
		end := 1
		for end < len(s) && isName(s[end]) {
			end++
		}
		if s[0] == ':' && end == 1 {
			return "", 0
		}
		name = s[1:end]
		if s[0] == ':' && strings.HasPrefix(s[end:], "<") {
			if n := strings.IndexByte(s[end:], '>'); n > 0 {
				end += n + 1
			}
		}
		if s[0] == ':' && strings.HasPrefix(s[end:], "?") {
			end++
		}
		return name, end
	}
	return "", 0
}

func isName(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// uniqueName returns name, or "path" if it is empty or begins with a digit, with a number
// appended if that is taken.
func uniqueName(name string, taken []string) string {
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "path"
	}
	for i, first := 2, name; slices.Contains(taken, name); i++ {
		name = first + strconv.Itoa(i)
	}
	return name
}

// shape blanks out the parameters of a path: paths with the same shape are the same path,
// whatever their parameters are called.
func shape(path string) string {
	var b strings.Builder
	for path != "" {
		before, rest, ok := strings.Cut(path, "{")
		b.WriteString(before)
		if !ok {
			break
		}
		if _, path, ok = strings.Cut(rest, "}"); !ok {
			path = ""
		}
		b.WriteString("{}")
	}
	return b.String()
}

// base returns the path of the document's first server, without a trailing slash.
func (d *Document) base() string {
	servers := get(d.rootObject(), "servers")
	if servers == nil || servers.Kind != yaml.SequenceNode || len(servers.Content) == 0 {
		return ""
	}
	at := get(servers.Content[0], "url")
	if at == nil || strings.Contains(at.Value, "{") {
		return ""
	}
	u, err := url.Parse(at.Value)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}
