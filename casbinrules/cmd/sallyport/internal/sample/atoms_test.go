package sample

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// functions are the matcher functions with parts of patterns for each.
var functions = map[string][]string{
	"==":         {"a", "b", "/", "/a"},
	"keyMatch":   {"a", "b", "/", "/a", "*", "/*"},
	"keyMatch2":  {"a", "b", "/", "/:a", "/a", "/*", "."},
	"keyMatch3":  {"a", "b", "/", "/{a}", "/a", "/*", "/{b}"},
	"keyMatch4":  {"a", "b", "/", "/{a}", "/a", "/*", "/{b}"},
	"keyMatch5":  {"a", "b", "/", "/{a}", "/a", "/*"},
	"regexMatch": {"a", "b", "/", "^", "$", ".", ".*", "[^/]+", "(?:a|b)", "(?i:A)", `\b`, "a{2}"},
	"globMatch":  {"a", "b", "/", "*", "**", "/**", "/**/", "?", "[ab]", "[^a]", "{a,b}"},
}

// universe is every short text of a few characters.
func universe() []string {
	texts := []string{""}
	for from, length := 0, 0; length < 4; length++ {
		until := len(texts)
		for _, text := range texts[from:until] {
			for _, r := range "ab/?x" {
				texts = append(texts, text+string(r))
			}
		}
		from = until
	}
	return texts[1:]
}

// Each kind of text that patterns distinguish is among the samples, or the result says
// that it is unknown.
func TestEveryKindOfTextIsSampled(t *testing.T) {
	texts := universe()
	valid := regexp.MustCompile(CanonicalObject)
	random := rand.New(rand.NewPCG(6, 8))
	for round := range 250 {
		var patterns []casbinrules.Pattern
		for range 1 + random.IntN(4) {
			patterns = append(patterns, randomPattern(random))
		}
		space := Space{Patterns: patterns, Valid: CanonicalObject}
		made, missed := space.Complete(nil)
		kinds := map[string]bool{}
		for _, text := range made {
			if !valid.MatchString(text) {
				t.Fatalf("%q is not canonical", text)
			}
			kinds[kindBy(patterns, text)] = true
		}
		if len(missed) > 0 {
			continue
		}
		for _, text := range texts {
			if valid.MatchString(text) && !kinds[kindBy(patterns, text)] {
				t.Fatalf("round %d: %q is a kind of its own for %v and none of %q", round, text, patterns, made)
			}
		}
	}
}

func kindBy(patterns []casbinrules.Pattern, text string) string {
	var b strings.Builder
	for _, p := range patterns {
		if p.Matches(text) {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	}
	return b.String()
}

// randomPattern returns a valid pattern for its function.
func randomPattern(random *rand.Rand) casbinrules.Pattern {
	names := []string{"==", "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "regexMatch", "globMatch"}
	for {
		p := casbinrules.Pattern{Function: names[random.IntN(len(names))]}
		pieces := functions[p.Function]
		for range 1 + random.IntN(4) {
			p.Text += pieces[random.IntN(len(pieces))]
		}
		if p.Function == "regexMatch" {
			if _, err := regexp.Compile(p.Text); err != nil {
				continue
			}
		}
		if expr, _, _ := expression(p); p.Function[0] == 'k' {
			if _, err := regexp.Compile(expr); err != nil {
				continue
			}
		}
		return p
	}
}

// An expression agrees with Casbin's function on every short text.
func TestExpressionsMatchWhatCasbinMatches(t *testing.T) {
	texts := universe()
	random := rand.New(rand.NewPCG(7, 9))
	inexact := 0
	for range 1000 {
		p := randomPattern(random)
		expr, cut, exact := expression(p)
		if !exact {
			inexact++
			continue
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			t.Fatalf("%v: %q: %v", p, expr, err)
		}
		for _, text := range texts {
			seen := text
			if cut {
				seen, _, _ = strings.Cut(text, "?")
			}
			if got, want := re.MatchString(seen), p.Matches(text); got != want {
				t.Fatalf("%v by %q: %q is %v, to Casbin %v", p, expr, text, got, want)
			}
		}
	}
	if inexact > 250 {
		t.Errorf("%d of 1000 patterns have no expression", inexact)
	}
}
