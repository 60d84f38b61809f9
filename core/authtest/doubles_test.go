package authtest

import ()

// altered returns s with another letter at i.
func altered(s string, i int) string {
	letter := "a"
	if s[i] == 'a' {
		letter = "b"
	}
	return s[:i] + letter + s[i+1:]
}
