package authtest

import ()

// altered is s with another letter at i, whatever is there.
func altered(s string, i int) string {
	letter := "a"
	if s[i] == 'a' {
		letter = "b"
	}
	return s[:i] + letter + s[i+1:]
}
