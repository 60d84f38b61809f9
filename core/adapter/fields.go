package adapter

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/kept"
)

const challengeKey = "Www-Authenticate" // as net/http spells it

// AddFields adds fields to a net/http header: Vary and
// Access-Control-Expose-Headers are merged with what others have set, every
// challenge and cookie gets its own line, other fields replace existing ones. A
// field that [IsPrivate] is omitted if there is a Cache-Control. With a Cache-Control
// of no-store, as of refusals, fields that [TargetsCaches] names are removed:
// caches that obey them ignore it.
//
// Values of many responses are shared between their headers. Set, Add and Del do
// not modify them, but a write to h["Vary"][0] in place would be visible in other
// responses.
func AddFields(h http.Header, fields []core.Field) {
	fresh := len(h) == 0
	for i := range fields {
		f := &fields[i]
		s := f.Shared()
		if s != nil && s.Intact(f.Value) && (s.Replaces || fresh && first(fields[:i], f.Name)) {
			h[s.Key] = s.Values[:1:1] // without capacity, so that append copies
			continue
		}
		if !fresh && f.Value == "no-store" && strings.EqualFold(f.Name, "Cache-Control") {
			removeTargeted(h)
		}
		switch {
		case IsPrivate(f) && len(h[s.Key]) > 0: // KeepFields completes it
		case s != nil && s.Intact(f.Value) && (len(h[s.Key]) == 0 || !kept.Merges(s.Key)):
			h[s.Key] = s.Values[:1:1]
		case f.Name == "WWW-Authenticate":
			add(h, challengeKey, f)
		default:
			add(h, http.CanonicalHeaderKey(f.Name), f)
		}
	}
}

// addMissing adds those of fields that h lacks, after something has cleared it.
func addMissing(h http.Header, fields []core.Field) {
	AddFields(h, slices.DeleteFunc(slices.Clone(fields), func(f core.Field) bool {
		have := h.Values(f.Name)
		return len(have) > 0 && (!strings.EqualFold(f.Name, "Set-Cookie") || slices.Contains(have, f.Value))
	}))
}

// Write writes resp to w.
func Write(w http.ResponseWriter, resp *core.Response) {
	AddFields(w.Header(), resp.Fields)
	w.WriteHeader(resp.Status)
	if len(resp.Body) > 0 { // a compressor would create a body
		_, _ = w.Write(resp.Body) // the client has gone; the verdict stands
	}
}

// first reports whether no field in before has the name.
func first(before []core.Field, name string) bool {
	for i := range before {
		if len(before[i].Name) == len(name) {
			return false
		}
	}
	return true
}

// add adds one field to a header; key is its name in canonical form.
func add(h http.Header, key string, f *core.Field) {
	have := h[key]
	switch {
	case len(have) == 0 || !kept.Merges(key):
		h[key] = []string{f.Value}
	case key == challengeKey || key == "Set-Cookie":
		h[key] = append(have, f.Value)
	case len(have) == 1 && have[0] == f.Value: // from an earlier gate
	default:
		h[key] = append(have, MissingMembers(have, f.Value)...)
	}
}

// RemoveFields undoes [AddFields], as far as its fields can be told from those that
// others have set. It is for the fields of [core.Verdict.Concealed].
func RemoveFields(h http.Header, fields []core.Field) {
	for i := range fields {
		name := http.CanonicalHeaderKey(fields[i].Name)
		if kept := Without(&fields[i], h[name]); len(kept) > 0 {
			h[name] = kept
		} else {
			delete(h, name)
		}
	}
}

// Without returns the lines of a response's field without those that f added. It is
// [RemoveFields] for headers other than net/http's.
func Without(f *core.Field, lines []string) []string {
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		if line != f.Value && (!strings.EqualFold(f.Name, "Vary") || len(MissingMembers([]string{f.Value}, line)) > 0) {
			kept = append(kept, line)
		}
	}
	return kept
}

// Bytes returns a field that many responses share as bytes, with its name in the
// form of [http.CanonicalHeaderKey] and without line breaks. It returns nil for
// other fields. It saves copies in frameworks whose headers are bytes.
func Bytes(f *core.Field) (name, value []byte) {
	if s := f.Shared(); s != nil && s.Intact(f.Value) {
		return s.NameBytes, s.ValueBytes
	}
	return nil, nil
}

// MissingMembers returns the members of value, a list of field names as in Vary
// (RFC 9110 §12.5.5), that the given lines of the same field lack, ignoring letter
// case.
func MissingMembers(lines []string, value string) []string {
	var missing []string
	for member := range strings.SplitSeq(value, ",") {
		if member = strings.TrimSpace(member); !hasMember(lines, member) {
			missing = append(missing, member)
		}
	}
	return missing
}

func hasMember(lines []string, member string) bool {
	for _, line := range lines {
		for have := range strings.SplitSeq(line, ",") {
			if have = strings.TrimSpace(have); have == "*" || strings.EqualFold(have, member) {
				return true
			}
		}
	}
	return false
}
