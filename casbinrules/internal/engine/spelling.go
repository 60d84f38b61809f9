package engine

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Spellings are the words with capital letters in the objects of a policy. If a
// router ignores the letter case of a prefix ([core.Resource.Folded]), rules may
// spell that prefix differently from the application: what is denied in any spelling
// that the policy contains is denied.
type Spellings struct {
	words   map[string][]word // by their lower-case text
	lengths [256][]int        // of words, by their first byte in lower case
	// classes reports that some object has capitals in a character class. Then
	// segments are also tried with a capital first letter and in capitals only.
	classes bool
	// negates reports that the matcher may refuse an object without any deny rule.
	negates bool
}

// word is a run of letters, digits, "-" and "_" in an object.
type word struct {
	text  string
	first bool // begins a segment
}

func NewSpellings() *Spellings { return &Spellings{words: map[string][]word{}} }

// spellingsOf returns the spellings of a policy, or nil if there are none.
func spellingsOf(s *model.Schema, rules policy.Rules, p *pace.Pace) *Spellings {
	found := NewSpellings()
	for object := range objectsOf(s, rules) {
		p.Step()
		found.Learn(object)
	}
	found.ReadMatcher(s.Tree)
	found.negates = found.negates || s.CasbinOnly != ""
	if found.empty() {
		return nil
	}
	return found
}

// objectsOf returns the fields of rules that may be objects.
func objectsOf(s *model.Schema, rules policy.Rules) iter.Seq[string] {
	columns, linked := s.ObjectColumns(), map[string]bool{}
	for kind := range s.Roles {
		field := s.LinkedField(kind)
		linked[kind] = field != "sub" && field != "act"
	}
	return func(yield func(string) bool) {
		for _, r := range rules.All() {
			switch {
			case r.IsPolicy():
				for _, column := range columns {
					if !yield(r.Field(column)) {
						return
					}
				}
			case linked[r.Kind()]:
				if !yield(r.Field(0)) || !yield(r.Field(1)) {
					return
				}
			}
		}
	}
}

// affectsSpellings reports whether a revision may change the spellings.
func affectsSpellings(s *model.Schema, before policy.Rules, v *policy.Revision) bool {
	for object := range objectsOf(s, v.Changed(before)) {
		if hasCapital(object) {
			return true
		}
	}
	return false
}

// ReadMatcher adds the paths in a matcher, and notes whether it negates.
func (s *Spellings) ReadMatcher(tree *model.Node) {
	s.negates = s.negates || tree == nil
	for n := range tree.All() {
		switch n.Kind {
		case model.NodeText:
			if strings.Contains(n.Text, "/") {
				s.Learn(n.Text)
			}
		case model.NodeChoice:
			s.negates = true
		case model.NodePrefix, model.NodeCompare:
			s.negates = s.negates || n.Text[0] == '!'
		case model.NodeCall:
			s.negates = s.negates || !slices.Contains(pattern.Functions, n.Text) && n.Text != "ipMatch" && !isRoleKind(n.Text)
		}
	}
}

// isRoleKind reports whether name is g, g2 and so on.
func isRoleKind(name string) bool {
	return strings.HasPrefix(name, "g") && strings.Trim(name[1:], "0123456789") == ""
}

// Refuses reports whether the verdict for another spelling counts: any denial by a
// rule, and any refusal if the matcher can refuse without a rule.
func (s *Spellings) Refuses(v *Verdict) bool { return v.Denies() || !v.Allowed && s.negates }

func (s *Spellings) empty() bool { return len(s.words) == 0 && !s.classes }

// Learn adds the words with capitals of an object, which may be a pattern of any
// kind. It skips the syntax of patterns.
func (s *Spellings) Learn(object string) {
	if !hasCapital(object) {
		return
	}
	for i := 0; i < len(object); {
		n := 0
		for i+n < len(object) && isWordByte(object[i+n]) {
			n++
		}
		switch rest := object[i:]; {
		case n > 0:
			s.add(object[i:i+n], i > 0 && object[i-1] == '/')
			if i+n < len(object) && strings.IndexByte("?*{", object[i+n]) >= 0 { // a quantifier of the last letter, in a regular expression
				s.add(object[i:i+n-1], i > 0 && object[i-1] == '/')
			}
			i += n
		case rest[0] == '\\': // a class or an escaped character
			s.classes = s.classes || strings.HasPrefix(rest, `\p`) || strings.HasPrefix(rest, `\P`)
			i += min(2, len(rest))
		case rest[0] == '[':
			end := max(strings.IndexByte(rest, ']'), 0)
			s.classes = s.classes || hasCapital(rest[:end])
			i += end + 1
		case strings.HasPrefix(rest, "(?"): // flags or the name of a group
			i += max(strings.IndexAny(rest, ":>)"), 0) + 1
		case strings.HasPrefix(rest, "/:"): // a parameter
			i += len(rest) - len(strings.TrimLeftFunc(rest[2:], func(r rune) bool { return r < 0x80 && isWordByte(byte(r)) }))
		default:
			i++
		}
	}
}

func (s *Spellings) add(text string, first bool) {
	if !hasCapital(text) {
		return
	}
	key, w := strings.ToLower(text), word{strings.Clone(text), first}
	if slices.Contains(s.words[key], w) {
		return
	}
	s.words[key] = append(s.words[key], w)
	if lengths := &s.lengths[key[0]]; !slices.Contains(*lengths, len(key)) {
		*lengths = append(*lengths, len(key))
	}
}

// spellingsAt returns the other spellings of the beginning of a text that follows
// the byte before in a path.
func spellingsAt[T string | []byte](s *Spellings, before byte, text T) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, n := range s.lengths[lowerByte(text[0])] {
			if n > len(text) {
				continue
			}
			var room [64]byte
			key := room[:0]
			for i := range n {
				key = append(key, lowerByte(text[i]))
			}
			for _, w := range s.words[string(key)] {
				if (before == '/' || !w.first) && w.text != string(text[:n]) && !yield(w.text) {
					return
				}
			}
		}
	}
}

// maxSpellings is the maximum number of spellings of a path that are decided.
const maxSpellings = 64

// Of returns the other spellings of a path whose first folded bytes may be in any
// letter case. It does not allocate if there are none.
func (s *Spellings) Of(path string, folded int) ([]string, error) {
	some := s.classes
	for i := 1; i < folded && !some; i++ {
		for range spellingsAt(s, path[i-1], path[i:folded]) {
			some = true
			break
		}
	}
	if !some {
		return nil, nil
	}
	w := &speller{Spellings: s, path: []byte(path), end: folded, found: []string{path}}
	w.walk(1)
	if s.classes {
		w.capitals(1, folded)
		for i := 1; i < folded; {
			n := strings.IndexByte(path[i:folded]+"/", '/')
			w.capitals(i, i+n)
			i += n + 1
		}
	}
	if len(w.found) > maxSpellings {
		return nil, &core.InternalError{Err: fmt.Errorf("casbinrules: the objects of the policy spell %q in more than %d ways: write the prefixes of Static and of mounted apps in lower case", model.Visible(path), maxSpellings)}
	}
	return w.found[1:], nil
}

// speller finds the spellings of a path.
type speller struct {
	*Spellings
	path  []byte
	end   int
	found []string // the path itself is the first
}

// walk adds all spellings of the path from i on.
func (w *speller) walk(i int) {
	for ; i < w.end && len(w.found) <= maxSpellings; i++ {
		for text := range spellingsAt(w.Spellings, w.path[i-1], w.path[i:w.end]) {
			own := string(w.path[i : i+len(text)])
			copy(w.path[i:], text)
			w.walk(i + len(text))
			copy(w.path[i:], own)
		}
	}
	w.add(string(w.path))
}

// capitals adds the path with all letters of a range as capitals, and with the first
// letter of each of its segments.
func (w *speller) capitals(from, to int) {
	all, first := slices.Clone(w.path), slices.Clone(w.path)
	for i := from; i < to; i++ {
		if c := all[i]; 'a' <= c && c <= 'z' {
			all[i] -= 'a' - 'A'
			if w.path[i-1] == '/' {
				first[i] = all[i]
			}
		}
	}
	w.add(string(all))
	w.add(string(first))
}

func (w *speller) add(path string) {
	if len(w.found) <= maxSpellings && !slices.Contains(w.found, path) {
		w.found = append(w.found, path)
	}
}

func hasCapital(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return 'A' <= c && c <= 'Z' })
}

func isWordByte(c byte) bool { return c == '-' || c != '.' && pattern.IsNameByte(c) }

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
