package engine

import (
	"slices"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// Objects is a set of objects, as a tree of conditions.
type Objects struct {
	Kind ObjectsKind
	// Parts are those of ObjectsAnd and ObjectsOr, none of them constant, or the one
	// of ObjectsNot.
	Parts []*Objects
	// Function compares an object with Pattern; "==" is equality. With "in", the
	// object is one of Names.
	Function, Pattern string
	Names             []string
	// Attribute is the attribute of the object that is compared, a field of
	// WithObjectAttribute; "" for the object itself.
	Attribute string
	// Place is that of the rule with the pattern, if the pattern is from a rule.
	Place string

	match func() pattern.Matcher // nil for "==" and "in"
}

// ObjectsKind is the kind of an [Objects].
type ObjectsKind uint8

// The zero Objects is empty.
const (
	ObjectsNone ObjectsKind = iota
	ObjectsAll
	ObjectsAnd
	ObjectsOr
	ObjectsNot
	ObjectsMatch
)

var (
	noObjects  = &Objects{}
	allObjects = &Objects{Kind: ObjectsAll}
)

// Holds reports whether the set contains an object with these attributes.
func (o *Objects) Holds(object string, about map[string]string) bool {
	switch o.Kind {
	case ObjectsAll:
		return true
	case ObjectsAnd:
		return !slices.ContainsFunc(o.Parts, func(p *Objects) bool { return !p.Holds(object, about) })
	case ObjectsOr:
		return slices.ContainsFunc(o.Parts, func(p *Objects) bool { return p.Holds(object, about) })
	case ObjectsNot:
		return !o.Parts[0].Holds(object, about)
	case ObjectsMatch:
		if o.Attribute != "" {
			return about[o.Attribute] == o.Pattern
		}
		return o.matches(object)
	default:
		return false
	}
}

func (o *Objects) matches(object string) bool {
	switch o.Function {
	case "==":
		return object == o.Pattern
	case "in":
		return slices.Contains(o.Names, object)
	}
	return o.match()(object)
}

// May reports whether the set contains the object for some values of its attributes.
// It may also return true if only contradictory values would do.
func (o *Objects) May(object string) bool { return o.may(object, true) }

// may reports whether the condition can be true of an object, or false if is is
// false.
func (o *Objects) may(object string, is bool) bool {
	some := func(p *Objects) bool { return p.may(object, is) }
	none := func(p *Objects) bool { return !p.may(object, is) }
	switch o.Kind {
	case ObjectsNone, ObjectsAll:
		return (o.Kind == ObjectsAll) == is
	case ObjectsAnd, ObjectsOr:
		if (o.Kind == ObjectsAnd) == is {
			return !slices.ContainsFunc(o.Parts, none)
		}
		return slices.ContainsFunc(o.Parts, some)
	case ObjectsNot:
		return o.Parts[0].may(object, !is)
	default:
		return o.Attribute != "" || o.matches(object) == is
	}
}

// both, either and not simplify constant parts away.
func both(a, b *Objects) *Objects {
	switch {
	case a.Kind == ObjectsNone || b.Kind == ObjectsAll:
		return a
	case b.Kind == ObjectsNone || a.Kind == ObjectsAll:
		return b
	}
	return joined(ObjectsAnd, a, b)
}

func either(a, b *Objects) *Objects {
	switch {
	case a.Kind == ObjectsAll || b.Kind == ObjectsNone:
		return a
	case b.Kind == ObjectsAll || a.Kind == ObjectsNone:
		return b
	}
	return joined(ObjectsOr, a, b)
}

// joined returns a node in which parts of the same kind are flattened.
func joined(kind ObjectsKind, a, b *Objects) *Objects {
	o := &Objects{Kind: kind}
	for _, part := range []*Objects{a, b} {
		if part.Kind == kind {
			o.Parts = append(o.Parts, part.Parts...)
		} else {
			o.Parts = append(o.Parts, part)
		}
	}
	return o
}

func not(o *Objects) *Objects {
	switch o.Kind {
	case ObjectsNone:
		return allObjects
	case ObjectsAll:
		return noObjects
	case ObjectsNot:
		return o.Parts[0]
	}
	return &Objects{Kind: ObjectsNot, Parts: []*Objects{o}}
}

// eitherOf is either for many sets, flattened.
func eitherOf(parts []*Objects) *Objects {
	o := &Objects{Kind: ObjectsOr}
	for _, part := range parts {
		switch part.Kind {
		case ObjectsAll:
			return part
		case ObjectsNone:
		case ObjectsOr:
			o.Parts = append(o.Parts, part.Parts...)
		default:
			o.Parts = append(o.Parts, part)
		}
	}
	switch len(o.Parts) {
	case 0:
		return noObjects
	case 1:
		return o.Parts[0]
	}
	return o
}

// matching returns the objects that a pattern of a function matches.
func matching(function, text, place string) *Objects {
	if pattern.MatchesAll(function, text) {
		return allObjects
	}
	if one, ok := literal(function, text); ok {
		return &Objects{Kind: ObjectsMatch, Function: "==", Pattern: one, Place: place}
	}
	return &Objects{Kind: ObjectsMatch, Function: function, Pattern: text, Place: place, match: sync.OnceValue(func() pattern.Matcher {
		match, err := pattern.Compile(function, text)
		if err != nil {
			return func(string) bool { return false }
		}
		return match
	})}
}

// literal returns the one object that a pattern matches, if there is only one.
func literal(function, text string) (string, bool) {
	switch {
	case function == "==" || pattern.HasSegments(function) && !strings.ContainsAny(text, `:*\.+?()|[]{}^$`):
		return text, true
	case function == "keyMatch":
		return text, !strings.Contains(text, "*")
	case !pattern.HasSegments(function):
		return "", false
	}
	segments := pattern.Split(function, text)
	var parts []string
	for _, s := range segments {
		if s.Kind != pattern.Literal {
			return "", false
		}
		parts = append(parts, s.Text)
	}
	return strings.Join(parts, "/"), segments != nil
}
