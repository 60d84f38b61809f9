package model

// Conjuncts are the conditions that && joins. What binds weaker than && keeps
// all together.
func Conjuncts(tokens []Token) [][]Token {
	tokens = Unwrap(tokens)
	for _, weaker := range []string{"||", "?", ":", ","} {
		if len(SplitAt(tokens, weaker)) > 1 {
			return [][]Token{tokens}
		}
	}
	parts := SplitAt(tokens, "&&")
	if len(parts) == 1 {
		return parts
	}
	var all [][]Token
	for _, part := range parts {
		all = append(all, Conjuncts(part)...)
	}
	return all
}

// SplitAt cuts tokens at an operator outside parentheses.
func SplitAt(tokens []Token, operator string) [][]Token {
	var parts [][]Token
	depth, start := 0, 0
	for i, t := range tokens {
		if t.Kind != TokenOther {
			continue
		}
		switch t.Text {
		case "(":
			depth++
		case ")":
			depth--
		case operator:
			if depth == 0 {
				parts = append(parts, tokens[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, tokens[start:])
}

// Unwrap takes off parentheses around all of tokens.
func Unwrap(tokens []Token) []Token {
	for IsClosed(tokens) {
		tokens = tokens[1 : len(tokens)-1]
	}
	return tokens
}

// IsClosed reports whether the first token opens a parenthesis that the last
// one closes.
func IsClosed(tokens []Token) bool {
	depth := 0
	for i, t := range tokens {
		if t.Kind == TokenOther {
			switch t.Text {
			case "(":
				depth++
			case ")":
				depth--
			}
		}
		if depth == 0 {
			return i > 0 && i == len(tokens)-1
		}
	}
	return false
}
