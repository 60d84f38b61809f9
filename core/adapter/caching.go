package adapter

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/kept"
)

// KeepFields must be called before sending the response to a request that has
// passed gates: it restores fields about caching that the gates added
// ([core.Verdict].Fields) and that handlers have removed or replaced. It adds
// missing members to Vary. If a field says that the response is private, it applies
// [PrivateCacheControl] to Cache-Control and removes the fields that
// [TargetsCaches] names; with sharedCaching, from the verdict, it only restores a
// missing Cache-Control.
func KeepFields(h http.Header, fields []core.Field, sharedCaching bool) {
	own, private := 0, false // how many of fields are at least in h, and whether one is private
	for i := range fields {
		f := &fields[i]
		s := f.Shared()
		if s == nil {
			continue
		}
		have := h[s.Key]
		switch {
		case s.Key == "Vary":
			if len(have) != 1 || have[0] != f.Value {
				add(h, s.Key, f)
			}
		case !s.Private || f.Value != "private":
			continue
		case sharedCaching:
			if len(have) == 0 {
				h[s.Key] = []string{f.Value}
			}
		default:
			if len(have) != 1 || have[0] != f.Value {
				h[s.Key] = PrivateCacheControl(have)
			}
			private = true
		}
		if first(fields[:i], f.Name) {
			own++
		}
	}
	if !private || len(h) == own { // nothing else is there
		return
	}
	removeTargeted(h)
}

func removeTargeted(h http.Header) {
	for name := range h {
		if kept.TargetsCaches(name) {
			delete(h, name)
		}
	}
}

// IsPrivate reports whether f makes the response to a request with a principal
// private. Do not add it to a response that has a Cache-Control, but complete that
// before sending, as [KeepFields] does.
func IsPrivate(f *core.Field) bool {
	s := f.Shared()
	return s != nil && s.Private && f.Value == "private"
}

// TargetsCaches reports whether a response field, in any letter case, addresses some
// caches in front of an application in place of Cache-Control: one whose name ends in
// -Cache-Control, by the convention of RFC 9213 §2, or one of the older Edge-Control,
// Surrogate-Control and X-Accel-Expires.
func TargetsCaches[T string | []byte](name T) bool { return kept.TargetsCaches(name) }

// PrivateCacheControl changes Cache-Control lines so that no shared cache stores
// the response (RFC 9111 §5.2.2): it removes public, s-maxage and private with
// field names, adds private, and keeps other directives. Lines that already have
// this effect, such as no-store, are returned unchanged. Lines that are not a list
// of directives become no-store.
func PrivateCacheControl(lines []string) []string {
	all, ok := directives(lines)
	if !ok {
		return []string{"no-store"}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(d string) bool { return strings.EqualFold(d, name) })
	}
	// must-understand makes some caches ignore no-store (RFC 9111 §5.2.2.3).
	closed := has("private") || has("no-store") && !has("must-understand")
	if closed && !slices.ContainsFunc(all, opens) {
		return lines
	}
	if all = slices.DeleteFunc(all, opens); !closed {
		all = append([]string{"private"}, all...)
	}
	return []string{strings.Join(all, ", ")}
}

// opens reports whether a directive lets shared caches store a response.
func opens(directive string) bool {
	name, _, hasValue := strings.Cut(directive, "=")
	name = strings.TrimSpace(name)
	return strings.EqualFold(name, "public") || strings.EqualFold(name, "s-maxage") ||
		hasValue && strings.EqualFold(name, "private")
}

// directives returns the members of Cache-Control lines. A comma may be inside a
// quoted string, as in private="Set-Cookie, X-User". ok is false if a quoted string
// does not end.
func directives(lines []string) (all []string, ok bool) {
	for _, line := range lines {
		start, quoted := 0, false
		for i := 0; i <= len(line); i++ {
			switch {
			case i == len(line) || line[i] == ',' && !quoted:
				if member := strings.TrimSpace(line[start:i]); member != "" {
					all = append(all, member)
				}
				start = i + 1
			case line[i] == '"':
				quoted = !quoted
			case line[i] == '\\' && quoted:
				i++
			}
		}
		if quoted {
			return nil, false
		}
	}
	return all, true
}
