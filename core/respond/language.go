package respond

import "strings"

// languageRange is one member of an Accept-Language field.
type languageRange struct {
	tag string // lower case; "*" for any
	q   int    // thousandths
}

// parseLanguages parses the members of an Accept-Language field within the limits
// for Accept, and skips malformed ones.
func parseLanguages(field string) []languageRange {
	if len(field) > maxAccept {
		return nil
	}
	var ranges []languageRange
	for n := 0; field != "" && n < maxMembers; n++ {
		var member string
		member, field, _ = strings.Cut(field, ",")
		tag, param, weighted := strings.Cut(member, ";")
		r := languageRange{strings.ToLower(strings.Trim(tag, " \t")), 1000}
		if weighted {
			name, value, _ := strings.Cut(strings.Trim(param, " \t"), "=")
			q, ok := parseWeight(value)
			if !ok || !strings.EqualFold(name, "q") {
				continue
			}
			r.q = q
		}
		if r.tag == "*" || isLanguage(r.tag) {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// isLanguage reports whether tag has the form of a language tag (RFC 5646
// §2.1): subtags of one to eight letters or digits, the first of letters.
func isLanguage(tag string) bool {
	for i, sub := range strings.Split(tag, "-") {
		if sub == "" || len(sub) > 8 {
			return false
		}
		for _, c := range []byte(strings.ToLower(sub)) {
			if (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

// How well a range fits a tag, from worst to best.
const (
	fitsNot  = iota
	fitsAny                                // "*"
	narrower                               // "de-AT" for "de", better the longer the tag is (RFC 4647 §3.4)
	wider    = narrower + maxAccept + iota // "de" for "de-AT" (RFC 4647 §3.3.1)
	fitsSame
)

func (r languageRange) fit(tag string) int {
	switch {
	case r.tag == tag:
		return fitsSame
	case strings.HasPrefix(tag, r.tag+"-"):
		return wider
	case strings.HasPrefix(r.tag, tag+"-"):
		return narrower + len(tag) // r.tag is longer, so less than maxAccept
	case r.tag == "*":
		return fitsAny
	}
	return fitsNot
}

// chooseLanguage returns the index of the tag, in lower case, that the field
// prefers, or 0 if it prefers none. The best matching range gives a tag its weight.
// Among equal weights the earlier range wins, as browsers intend, and among tags
// that match the same range, the one that matches better.
func chooseLanguage(field string, tags []string) int {
	ranges := parseLanguages(field)
	best, bestQ, bestAt, bestFit := 0, 0, len(ranges), fitsNot
	for i, tag := range tags {
		fit, q, at := fitsNot, 0, 0
		for n, r := range ranges {
			if f := r.fit(tag); f > fit {
				fit, q, at = f, r.q, n
			}
		}
		if q > bestQ || q == bestQ && q > 0 && (at < bestAt || at == bestAt && fit > bestFit) {
			best, bestQ, bestAt, bestFit = i, q, at, fit
		}
	}
	return best
}
