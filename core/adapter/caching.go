package adapter

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// KeepFields is to be called before a response is sent to a request that has
// passed gates: it puts back what handlers have removed or replaced of the
// fields that the gates gave out ([core.Verdict].Fields), as far as these are
// about caches. Members that are missing in Vary are added. Where a field says
// that the answer is private, Cache-Control becomes [PrivateCacheControl], and the
// fields that [TargetedCacheFields] lists are removed; with sharedCaching, which
// is the verdict's, only a missing Cache-Control is put back.
func KeepFields(h http.Header, fields []core.Field, sharedCaching bool) {
	own, private := 0, false // how many of fields are in h at least, and whether one says that
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
	for _, name := range targeted {
		if len(h[name]) > 0 {
			delete(h, name)
		}
	}
}

// IsPrivate reports whether f says of an answer to a request with a principal
// that it is private: leave it out where the response has a Cache-Control, and
// see to that before it is sent, as [KeepFields] does.
func IsPrivate(f *core.Field) bool {
	s := f.Shared()
	return s != nil && s.Private && f.Value == "private"
}

// targeted are fields with which an application tells some caches in front of
// it what Cache-Control does not say (RFC 9213).
var targeted = [...]string{
	"Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "Edge-Control", "Surrogate-Control", "X-Accel-Expires",
}

// TargetedCacheFields lists the response fields with which an application tells
// caches in front of it what Cache-Control does not say (RFC 9213), as
// [http.CanonicalHeaderKey] has them.
func TargetedCacheFields() []string { return targeted[:] }

// PrivateCacheControl makes Cache-Control lines say that no shared cache stores
// the response (RFC 9111 §5.2.2): public, s-maxage and the form of private that
// is about single fields go, private comes in, and all others stay. Lines that
// say so already are returned as they are, among them no-store. What is not a
// list of directives becomes no-store.
func PrivateCacheControl(lines []string) []string {
	all, ok := directives(lines)
	if !ok {
		return []string{"no-store"}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(d string) bool { return strings.EqualFold(d, name) })
	}
	// must-understand has some caches ignore no-store (RFC 9111 §5.2.2.3).
	closed := has("private") || has("no-store") && !has("must-understand")
	if closed && !slices.ContainsFunc(all, opens) {
		return lines
	}
	if all = slices.DeleteFunc(all, opens); !closed {
		all = append([]string{"private"}, all...)
	}
	return []string{strings.Join(all, ", ")}
}

// opens reports whether a directive lets shared caches store something.
func opens(directive string) bool {
	name, _, hasValue := strings.Cut(directive, "=")
	name = strings.TrimSpace(name)
	return strings.EqualFold(name, "public") || strings.EqualFold(name, "s-maxage") ||
		hasValue && strings.EqualFold(name, "private")
}

// directives are the members of Cache-Control lines. A comma may stand in a
// quoted string, as in private="Set-Cookie, X-User". It is not ok where a quoted
// string does not end.
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
