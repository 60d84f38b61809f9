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
	// Parts are those of ObjectsAnd and ObjectsOr, none of which is constant, and
	// the one of ObjectsNot.
	Parts []*Objects
	// Function compares an object with Pattern; "==" is equality. With "in" the
	// object is one of Names.
	Function, Pattern string
	Names             []string
	// Attribute is what of the object is compared, a field of WithObjectAttribute; ""
	// for the object itself.
	Attribute string
	// Place is the rule's, where a rule says so.
	Place string

	match func() pattern.Matcher // nil for "==" and "in"
}

// ObjectsKind is the kind of an [Objects].
type ObjectsKind uint8

// The kinds. The zero Objects is empty.
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

// Holds reports whether an object is one of those, about which these are the values
// of its attributes.
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

// May reports whether an object is one of those by some values of its attributes.
// It says so too of one that would be by values which exclude each other.
func (o *Objects) May(object string) bool { return o.may(object, true) }

// may reports whether the condition may be true, or false, of an object.
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

// both, either and not leave out what does not matter.
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

// joined makes one list of parts of the same kind.
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

// eitherOf is either of many, in one list.
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

// matching are the objects that a function matches with a pattern.
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

// literal is the one object that a pattern matches.
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
