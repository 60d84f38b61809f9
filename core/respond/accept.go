package respond

import (
	"mime"
	"strings"
)

// Limits on the part of an Accept field that is parsed. Browsers send about 150
// bytes and eight members.
const (
	maxAccept  = 4 << 10
	maxMembers = 64
)

// mediaRange is one member of an Accept field.
type mediaRange struct {
	main, sub string // lower case; "*" for any
	precision int    // higher is more specific
	q         int    // thousandths
}

// The precisions of media ranges (RFC 9110 §12.5.1). A range with parameters is
// narrower than any offer, so the same range without parameters is preferred.
const (
	anyType = iota
	anySubtype
	exactWithParameters
	exact
)

// parseAccept parses the members of an Accept field and skips malformed ones. A
// field that is too long counts as no preference.
func parseAccept(accept string) []mediaRange {
	if len(accept) > maxAccept {
		return nil
	}
	var ranges []mediaRange
	for n := 0; accept != "" && n < maxMembers; n++ {
		var member string
		member, accept = cutMember(accept)
		if r, ok := parseRange(member); ok {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// cutMember cuts a list at its first comma outside a quoted-string.
func cutMember(list string) (member, rest string) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return list, ""
}

func parseRange(member string) (mediaRange, bool) {
	t, params, err := mime.ParseMediaType(member)
	if err != nil {
		return mediaRange{}, false
	}
	main, sub, ok := strings.Cut(t, "/")
	if !ok || main == "*" && sub != "*" {
		return mediaRange{}, false
	}
	r := mediaRange{main: main, sub: sub, precision: exact, q: 1000}
	if weight, ok := params["q"]; ok {
		if r.q, ok = parseWeight(weight); !ok {
			return mediaRange{}, false
		}
		delete(params, "q")
	}
	switch {
	case main == "*":
		r.precision = anyType
	case sub == "*":
		r.precision = anySubtype
	case len(params) > 0:
		r.precision = exactWithParameters
	}
	return r, true
}

// parseWeight parses a qvalue (RFC 9110 §12.4.2) into thousandths.
func parseWeight(s string) (thousandths int, ok bool) {
	if s == "" || len(s) > len("0.000") || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0, false
	}
	n := int(s[0]-'0') * 1000
	for i, unit := 2, 100; i < len(s); i, unit = i+1, unit/10 {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n += int(s[i]-'0') * unit
	}
	return n, n <= 1000
}

// quality returns the weight that the most specific matching range gives a media
// type, and that range's precision; -1 if none matches. Among equally specific
// ranges the highest weight counts.
func quality(mediaType string, ranges []mediaRange) (q, precision int) {
	main, sub, _ := strings.Cut(mediaType, "/")
	precision = -1
	for _, r := range ranges {
		if r.main != "*" && r.main != main || r.sub != "*" && r.sub != sub || r.precision < precision {
			continue
		}
		if r.precision > precision || r.q > q {
			precision, q = r.precision, r.q
		}
	}
	return q, precision
}
