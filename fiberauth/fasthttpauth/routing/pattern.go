package routing

import "strings"

// Pattern is the path of a route, split at its parameters: literals[0] value
// literals[1] value … It uses the names that Fiber's own parser found, and only gives
// a path the letter case of the route; a path that it cannot follow is refused.
type Pattern struct {
	text     string
	literals []string
	keys     []string // names of the parameters in the copy of the app, one for each value
	params   []string // their names in the application's router
	// indirect reports that handlers cannot get each value by its name: a name occurs
	// twice, or the prefix of a mounted sub-app has parameters as well.
	indirect bool
	// folded is how many literals may contain text that was registered in another
	// letter case.
	folded int
	star   int // the first "*" among the parameters, or -1
	// constraints are what the route demands of each parameter, "" for nothing.
	constraints []string
}

// newPattern splits text at names, of which there are at most 30: those that Fiber's
// parser finds in it. params are those of the route. The first folded bytes of text
// may have been registered in another letter case.
func newPattern(text string, names, params []string, folded int) *Pattern {
	p := &Pattern{text: text, keys: keys[:len(names)], params: params, indirect: len(names) != len(params), star: -1}
	rest := text
	for i, name := range names {
		if name[0] == '*' && p.star < 0 {
			p.star = i
		}
		for _, other := range names[:i] {
			p.indirect = p.indirect || strings.EqualFold(name, other)
		}
		start, end := findParam(rest, name)
		if start < 0 {
			break
		}
		p.add(rest[:start], len(text)-len(rest) < folded)
		_, constraint, _ := strings.Cut(rest[start:end], "<")
		p.constraints = append(p.constraints, constraint)
		rest = rest[end:]
	}
	p.add(rest, len(text)-len(rest) < folded)
	return p
}

// add appends a literal.
func (p *Pattern) add(text string, folded bool) {
	p.literals = append(p.literals, unescaped(text))
	if folded {
		p.folded = len(p.literals)
	}
}

// foldedIn returns how many bytes of a path, which p has matched with values, belong
// to the literals that may have been registered in another letter case.
func (p *Pattern) foldedIn(path string, values []string) (n int) {
	for i, literal := range p.literals[:p.folded] {
		if i > 0 {
			n += len(values[i-1])
		}
		n += len(literal)
	}
	return min(n, len(path)) // as a last slash is optional
}

// findParam returns where the parameter called name begins in the path of a route,
// and where its constraint and question mark end. Fiber numbers "*" and "+".
func findParam(text, name string) (start, end int) {
	mark := ":" + name
	if name[0] == '*' || name[0] == '+' {
		mark = name[:1]
	}
	for from := 0; ; {
		i := strings.Index(text[from:], mark)
		if i < 0 {
			return -1, -1
		}
		start = from + i
		if start == 0 || text[start-1] != '\\' {
			break
		}
		from = start + 1
	}
	end = start + len(mark)
	if end < len(text) && text[end] == '<' {
		if i := strings.IndexByte(text[end:], '>'); i >= 0 {
			end += i + 1
			// A regular expression may contain that character: the constraint ends
			// where a parameter does.
			if i := strings.IndexAny(text[end:], `?:\/-.`); i >= 0 {
				end += i
			} else {
				end = len(text)
			}
		}
	}
	if end < len(text) && text[end] == '?' {
		end++
	}
	return start, end
}

// follow returns path with the route's letter case in its literal parts, and how many
// bytes of it the pattern matches. values are the parameters as matched, parts of
// path. ok is false if path does not begin with the literals and values in turn.
func (p *Pattern) follow(path string, values []string) (spelled string, n int, ok bool) {
	if len(p.literals) != len(values)+1 {
		return "", 0, false
	}
	var respelled []byte
	for i, lit := range p.literals {
		last := i == len(values)
		rest := path[n:]
		if last || values[i] == "" {
			// An optional parameter includes the slash before it, and a route's
			// last slash is optional.
			if k := len(lit) - 1; k >= 0 && lit[k] == '/' && len(rest) == k {
				lit = lit[:k]
			}
		}
		if len(rest) < len(lit) || !equalFold(rest[:len(lit)], lit) {
			return "", 0, false
		}
		if rest[:len(lit)] != lit {
			if respelled == nil {
				respelled = []byte(path)
			}
			copy(respelled[n:], lit)
		}
		n += len(lit)
		if last {
			break
		}
		if !strings.HasPrefix(path[n:], values[i]) {
			return "", 0, false
		}
		n += len(values[i])
	}
	if respelled != nil {
		path = string(respelled)
	}
	return path, n, true
}

// with returns a path that p matches if the first values suit its parameters.
func (p *Pattern) with(values []string) string {
	var path strings.Builder
	for i, literal := range p.literals {
		if path.WriteString(literal); i < len(p.literals)-1 {
			path.WriteString(values[i])
		}
	}
	return path.String()
}

// fileAt returns where the name of a file begins in a path that p has matched with
// values up to end: at the first parameter that spans segments or at a last
// parameter, otherwise behind all of p.
func (p *Pattern) fileAt(path string, end int, values []string) (at int) {
	last := len(values) - 1
	for i, v := range values {
		at += len(p.literals[i])
		if i == p.star || i == last && p.literals[i+1] == "" {
			return min(at, len(path))
		}
		at += len(v)
	}
	return end
}

// Keys returns the names of the parameters in the copy of the app.
func (p *Pattern) Keys() []string { return p.keys }

// unescaped returns a literal without its escape characters.
func unescaped(text string) string { return strings.ReplaceAll(text, `\`, "") }

// equalFold compares as Fiber does, ignoring the case of ASCII letters only.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// param returns the value of a parameter, as Fiber's own Params does.
func (p *Pattern) param(name string, values []string, fold bool) string {
	if name == "*" || name == "+" {
		name += "1"
	}
	for i, n := range p.params {
		if i < len(values) && (n == name || fold && equalFold(n, name)) {
			return values[i]
		}
	}
	return ""
}
