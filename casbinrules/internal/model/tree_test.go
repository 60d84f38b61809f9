package model

import (
	"fmt"
	"strings"
	"testing"
)

// shown is a tree with every part of more than one value in brackets.
func shown(n *Node) string {
	if len(n.Parts) == 0 {
		return n.Text
	}
	var parts []string
	for _, part := range n.Parts {
		parts = append(parts, shown(part))
	}
	return fmt.Sprintf("[%s %s]", n.Text, strings.Join(parts, " "))
}

func TestMatchersAreParsedByPrecedence(t *testing.T) {
	for text, want := range map[string]string{
		"a":                              "a",
		"a == b && c == d && e":          "[&& [== a b] [== c d] e]",
		"a || b && c || d":               "[|| a [&& b c] d]",
		"a ? b : c && d":                 "[: [? a b] [&& c d]]",
		"!a == b":                        "[== [! a] b]",
		"!(a == b)":                      "[! [( [== a b]]]",
		"f(a, b && c)":                   "[f a [&& b c]]",
		"f()":                            "f",
		"a in (b, 'c')":                  "[in a [( [, b c]]]",
		"a + b * c ** d - 1":             "[- [+ a [* b [** c d]]] 1]",
		"a == -1 && b":                   "[&& [== a [- 1]] b]",
		`a == "x && y" && b`:             "[&& [== a x && y] b]",
		"(a && b)":                       "[( [&& a b]]",
		"a == b == c":                    "[== [== a b] c]",
		"r_sub=~p_sub || r_age>=18":      "[|| [=~ r_sub p_sub] [>= r_age 18]]",
		"g(r_sub, p_sub, r_dom) || true": "[|| [g r_sub p_sub r_dom] true]",
	} {
		tokens, err := lex(text)
		if err != nil {
			t.Fatal(err)
		}
		n, problem := parseTree(tokens)
		if problem != nil || shown(n) != want {
			t.Errorf("%s: got %v, %v, want %s", text, n, problem, want)
			continue
		}
		if n.first != 0 || n.end != len(tokens) {
			t.Errorf("%s: from token %d to %d, want all %d", text, n.first, n.end, len(tokens))
		}
	}
}

func TestMatchersThatCannotBeParsed(t *testing.T) {
	for text, at := range map[string]int{"": 0, "a &&": 2, "(a": 0, "a b": 1, "f(a b)": 3, "a == )": 2, "f(": 2, "()": 1} {
		tokens, err := lex(text)
		if err != nil {
			t.Fatal(err)
		}
		if n, problem := parseTree(tokens); problem == nil || problem.token != at {
			t.Errorf("%s: got %v, %+v, want a problem at token %d", text, n, problem, at)
		}
	}
}
