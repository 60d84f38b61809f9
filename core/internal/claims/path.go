package claims

import (
	"errors"
	"fmt"
	"strings"
)

// Path is a claim's name, then the names inside it.
type Path []string

// ParsePath parses the name of a claim. Dots descend into objects, as in
// "realm_access.roles". A dot inside a name is written \. and a backslash \\, as in
// `resource_access.reports\.api.roles`. A name with "://" and without a backslash
// is a URL, which is one name.
func ParsePath(name string) (Path, error) {
	if strings.Contains(name, "://") && !strings.Contains(name, `\`) {
		return Path{name}, nil
	}
	var p Path
	var part strings.Builder
	end := func() error {
		if part.Len() == 0 {
			return fmt.Errorf("claim name %q is empty or has an empty part", name)
		}
		p = append(p, part.String())
		part.Reset()
		return nil
	}
	for i := 0; i < len(name); i++ {
		switch c := name[i]; c {
		case '.':
			if err := end(); err != nil {
				return nil, err
			}
		case '\\':
			i++
			if i == len(name) || name[i] != '.' && name[i] != '\\' {
				return nil, fmt.Errorf(`claim name %q: a backslash must be followed by a dot or another backslash`, name)
			}
			part.WriteByte(name[i])
		default:
			part.WriteByte(c)
		}
	}
	if err := end(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p Path) String() string { return strings.Join(p, ".") }

// errNull means that a claim is present but null.
var errNull = errors.New("null")

// lookup returns the claim at p; nil without error if there is none. The error
// wraps errNull if a parent is null.
func lookup(s Set, p Path) (any, error) {
	for i, name := range p {
		v, ok := s[name]
		switch {
		case !ok:
			return nil, nil
		case v == nil:
			return nil, fmt.Errorf("%s is %w", p[:i+1], errNull)
		case i == len(p)-1:
			return v, nil
		}
		if s, ok = v.(map[string]any); !ok {
			return nil, fmt.Errorf("%s in %s is not an object", name, p)
		}
	}
	return nil, nil
}
