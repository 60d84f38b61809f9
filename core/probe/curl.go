package probe

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// Curl returns a command line that sends the request of a finding to the service at base.
// In place of credentials of identities, and of tokens derived from theirs, it has a shell
// variable for the field: "$ERIN" for erin.
func (f Finding) Curl(base string, identities []Identity) string {
	r := f.Request
	words := []string{"curl", "-i", "--path-as-is"}
	switch r.Method {
	case "", "GET":
	case "HEAD":
		words = append(words, "-I")
	default:
		words = append(words, "-X", quote(r.Method))
	}
	var secret []core.Field
	for _, id := range identities {
		if id.Name == r.As {
			secret = id.Header
		}
	}
	known := (&Settings{Identities: identities}).secrets()
	for i, h := range r.Header {
		repeats := slices.ContainsFunc(known, func(s string) bool { return strings.Contains(h.Value, s) })
		if i < len(secret) || repeats || r.As == asAltered || r.Variant == truncated {
			words = append(words, "-H", `"$`+variable(r.As, i)+`"`)
			continue
		}
		words = append(words, "-H", quote(h.Name+": "+h.Value))
	}
	if r.Content != "" {
		words = append(words, "--data-raw", quote(r.Content))
	}
	return strings.Join(append(words, quote(strings.TrimSuffix(base, "/")+r.Target)), " ")
}

// variable returns the name of the shell variable for a field of an identity.
func variable(name string, i int) string {
	mapped := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
	if i > 0 {
		mapped += "_" + strings.Repeat("I", i+1)
	}
	if mapped[0] >= '0' && mapped[0] <= '9' {
		mapped = "_" + mapped
	}
	return mapped
}

// quote quotes a word for a POSIX shell.
func quote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
