package pattern

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// NameFunctions are the functions by which names in role links can be patterns. They
// exclude ipMatch, which fails for names that are not addresses, and keyMatch5,
// which shortens the names that it compares.
var NameFunctions = []string{"globMatch", "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "regexMatch"}

// IsPattern reports whether a function may match a pattern with texts other than
// itself. With regexMatch every pattern also matches the texts that contain it.
func IsPattern(function, text string) bool {
	return function == "regexMatch" || special(function, text) != ""
}

// special returns the first part of a text that is special to a function, or "".
func special(function, text string) string {
	bytes := `\.+*?()|[]{}^$` // for a regular expression
	switch function {
	case "keyMatch":
		bytes = "*"
	case "globMatch":
		bytes = GlobBytes
	}
	at := strings.IndexAny(text, bytes)
	if function == "keyMatch2" {
		if name := colonName.FindStringIndex(text); name != nil && (at < 0 || name[0] < at) {
			return text[name[0]:name[1]]
		}
	}
	if at < 0 {
		return ""
	}
	return text[at : at+1]
}

// Set holds patterns of one function, and finds those that match a text.
type Set struct {
	function string
	known    map[int32]bool
	byStart  map[string][]numbered
	lengths  []int // of the starts, longest first
}

// numbered is a pattern with the number under which it was added.
type numbered struct {
	number  int32
	matches Matcher
}

// NewSet returns an empty set.
func NewSet(function string) *Set {
	return &Set{function: function, known: map[int32]bool{}, byStart: map[string][]numbered{}}
}

// Add adds a text with its number, unless it is known or matches only itself. An invalid
// pattern matches nothing.
func (s *Set) Add(number int32, text string) {
	if s.known[number] || !IsPattern(s.function, text) {
		return
	}
	matches, err := Compile(s.function, text)
	if err != nil {
		return
	}
	s.known[number] = true
	start := startOf(s.function, text)
	s.byStart[start] = append(s.byStart[start], numbered{number, matches})
	if !slices.Contains(s.lengths, len(start)) {
		s.lengths = append(s.lengths, len(start))
		slices.SortFunc(s.lengths, func(a, b int) int { return b - a })
	}
}

// Has reports whether the text that was added with a number is a pattern.
func (s *Set) Has(number int32) bool { return s != nil && s.known[number] }

// Matching returns the patterns that match a text, those with the longest start first.
func (s *Set) Matching(text string) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		if s == nil {
			return
		}
		for _, n := range s.lengths {
			if n > len(text) {
				continue
			}
			for _, p := range s.byStart[text[:n]] {
				if p.matches(text) && !yield(p.number) {
					return
				}
			}
		}
	}
}

// startOf returns the beginning of every text that a pattern matches.
func startOf(function, text string) string {
	if function == "regexMatch" {
		return ""
	}
	first := special(function, text)
	at := strings.Index(text, first)
	switch {
	case function == "keyMatch", function == "globMatch":
		return text[:at]
	case strings.Contains(text, "|"):
		return ""
	}
	if strings.IndexByte("*?{", first[0]) >= 0 { // applies to what precedes it
		_, n := utf8.DecodeLastRuneInString(text[:at])
		at -= n
	}
	return text[:at]
}
