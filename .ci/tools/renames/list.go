package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// root is what all import paths of the project begin with. The changelog leaves
// it out.
const root = "github.com/sallyport-go/sallyport/"

// symbol is an exported name of a package, or, with a type, a method or field.
type symbol struct{ path, typ, name string }

func (s symbol) String() string {
	p := strings.TrimPrefix(s.path, root) + "."
	if s.typ != "" {
		p += s.typ + "."
	}
	return p + s.name
}

// list is what a changelog says of names.
type list struct {
	names    map[symbol]symbol // without typ
	members  map[symbol]symbol // with typ; both have the same path and typ
	byHand   map[symbol]string // what to do about a name that has no single new one
	packages map[string]string // import paths
	modules  map[string]string // module paths
	parts    map[string]string // module paths, each by that of the module it was taken out of
}

var (
	heading  = regexp.MustCompile(`^#{1,3} (.*)$`)
	nameLine = regexp.MustCompile("^- `([^`]+)` → `([^`]+)`$")
	handLine = regexp.MustCompile("^- `([^`]+)` → by hand: (.+)$")
	partLine = regexp.MustCompile("^- module `([^`]+)` → also `([^`]+)`$")
	pathLine = regexp.MustCompile("^- (package|module) `([^`]+)` → `([^`]+)`$")
)

// parseList reads the lines with an arrow in all sections "Renamed". name is
// the changelog's, for errors.
func parseList(name, text string) (*list, error) {
	l := &list{
		names: map[symbol]symbol{}, members: map[symbol]symbol{}, byHand: map[symbol]string{},
		packages: map[string]string{}, modules: map[string]string{}, parts: map[string]string{},
	}
	inside := false
	for i, line := range strings.Split(text, "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			inside = m[1] == "Renamed"
		}
		if !inside || !strings.HasPrefix(line, "- ") {
			continue
		}
		if err := l.add(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	return l, l.follow()
}

// add reads one line.
func (l *list) add(line string) error {
	if m := pathLine.FindStringSubmatch(line); m != nil {
		paths := l.packages
		if m[1] == "module" {
			paths = l.modules
		}
		return put(paths, root+m[2], root+m[3])
	}
	if m := partLine.FindStringSubmatch(line); m != nil {
		return put(l.parts, root+m[1], root+m[2])
	}
	if m := handLine.FindStringSubmatch(line); m != nil {
		old, err := parseSymbol(m[1])
		if err != nil {
			return err
		}
		return put(l.byHand, old, m[2])
	}
	m := nameLine.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("neither \"- `old` → `new`\" nor \"- package `old` → `new`\", \"- module `old` → `new`\", \"- module `old` → also `new`\" or \"- `old` → by hand: text\": %s", line)
	}
	old, err := parseSymbol(m[1])
	if err != nil {
		return err
	}
	now, err := parseSymbol(m[2])
	switch {
	case err != nil:
		return err
	case old.typ == "" && now.typ == "":
		return put(l.names, old, now)
	case old.typ != now.typ || old.path != now.path:
		return fmt.Errorf("%s becomes %s, of another type: say \"by hand: …\"", old, now)
	}
	return put(l.members, old, now)
}

// put adds an entry, and refuses a second one that says otherwise.
func put[K, V comparable](m map[K]V, old K, now V) error {
	if before, ok := m[old]; ok && before != now {
		return fmt.Errorf("%v is listed twice, as %v and as %v", old, before, now)
	}
	m[old] = now
	return nil
}

// parseSymbol reads core/jwtauth.New or core.Access.Action.
func parseSymbol(s string) (symbol, error) {
	path, names, ok := strings.Cut(s[strings.LastIndexByte(s, '/')+1:], ".")
	path = root + s[:strings.LastIndexByte(s, '/')+1] + path
	parts := strings.Split(names, ".")
	for _, p := range parts {
		ok = ok && p != "" && p[0] >= 'A' && p[0] <= 'Z' && !strings.ContainsAny(p, " ()*[]")
	}
	switch {
	case ok && len(parts) == 1:
		return symbol{path: path, name: parts[0]}, nil
	case ok && len(parts) == 2:
		return symbol{path: path, typ: parts[0], name: parts[1]}, nil
	}
	return symbol{}, fmt.Errorf("%q is not the name of something exported, such as core/jwtauth.New or core.Access.Action", s)
}

// follow has each old name lead to the last one where a new name was renamed
// again, so that one run is enough.
func (l *list) follow() error {
	return errors.Join(chase(l.names), chase(l.members), chase(l.packages), chase(l.modules))
}

func chase[K comparable](m map[K]K) error {
	for old, now := range m {
		for n := 0; ; n++ {
			further, ok := m[now]
			if !ok {
				break
			}
			if n > len(m) {
				return fmt.Errorf("the new names of %v lead in a circle", old)
			}
			now = further
		}
		m[old] = now
	}
	return nil
}
