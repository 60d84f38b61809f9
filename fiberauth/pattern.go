package fiberauth

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// pattern is a route's text cut at its parameters: literals[0] names[0]
// literals[1] … It follows the names that Fiber's own parser found and is only
// used to give a path the letter case of the route; a path that it cannot
// follow is refused.
type pattern struct {
	text     string
	names    []string
	literals []string
}

func newPattern(text string, names []string) *pattern {
	p := &pattern{text: text, names: names}
	rest := text
	for _, name := range names {
		start, end := findParam(rest, name)
		if start < 0 {
			break
		}
		p.literals = append(p.literals, fiber.RemoveEscapeChar(rest[:start]))
		rest = rest[end:]
	}
	p.literals = append(p.literals, fiber.RemoveEscapeChar(rest))
	return p
}

// findParam finds the parameter called name in the text of a route: its start
// and the end of its constraint and question mark. Fiber numbers "*" and "+".
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
		}
	}
	if end < len(text) && text[end] == '?' {
		end++
	}
	return start, end
}

// restore is a copy of path with its literal parts in the letter case of the
// route; values are the parameters as matched, parts of path. It reports false
// when path is not literals and values in turn.
func (p *pattern) restore(path string, values []string) (string, bool) {
	if len(p.literals) != len(values)+1 {
		return "", false
	}
	var b strings.Builder
	b.Grow(len(path))
	rest := path
	for i, lit := range p.literals {
		last := i == len(values)
		if !last && values[i] == "" || last {
			// An optional parameter takes the slash before it along, and a
			// route's last slash is optional.
			if n := len(lit) - 1; n >= 0 && lit[n] == '/' && len(rest) == n {
				lit = lit[:n]
			}
		}
		if len(rest) < len(lit) || rest[:len(lit)] != lit && !strings.EqualFold(rest[:len(lit)], lit) {
			return "", false
		}
		b.WriteString(lit)
		rest = rest[len(lit):]
		if last {
			break
		}
		if !strings.HasPrefix(rest, values[i]) {
			return "", false
		}
		b.WriteString(values[i])
		rest = rest[len(values[i]):]
	}
	b.WriteString(rest)
	return b.String(), strings.Trim(rest, "/") == ""
}

// literalPrefix is the text before the first parameter.
func (p *pattern) literalPrefix() string { return p.literals[0] }
