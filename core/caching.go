package core

import (
	"net/http"
	"slices"
	"strings"
)

// WithSharedCaching leaves to handlers whether shared caches may store their
// answers to requests with a principal: a Cache-Control that a handler sets, or
// middleware in front of the gate, is sent as it is. Without one the answer is
// private all the same. Of several gates and checks on the way of a request the
// last one's guard decides; give the option to a variant ([Guard.With]) for the
// routes that it is meant for.
//
// A cache serves what it has stored until that is stale, without asking the
// gates: also when the token has expired, the session has ended, the key was
// revoked or the role was taken away, and nobody logs the access. Vary keeps
// apart the credentials, in caches that heed it; content delivery networks mostly
// do not, and serve one user's answer to everybody. Use it for what all
// who pass may see, with a short s-maxage, behind a cache that heeds Vary.
func WithSharedCaching() Option {
	return func(g *Guard) error {
		g.sharedCaching = true
		return nil
	}
}

// privately is for answers to requests with a principal. It gives way to what
// others have set, which [KeepFields] completes.
var privately = func() Field {
	f := lasting("Cache-Control", "private")
	f.shared.yields = true
	return f
}()

// KeepFields is to be called before a response is sent to a request that has
// passed gates: it puts back what handlers have removed or replaced of the
// fields that the gates gave out ([Verdict].Fields), as far as these are about
// caches. Members that are missing in Vary are added. Where a field says that the
// answer is private, Cache-Control becomes [PrivateCacheControl], and the fields
// that [TargetedCacheFields] lists are removed; with sharedCaching only a missing
// Cache-Control is put back. It is for adapters.
func KeepFields(h http.Header, fields []Field, sharedCaching bool) {
	for i := range fields {
		f := &fields[i]
		s := f.shared
		if s == nil || s.spelt != f.Name {
			continue
		}
		have := h[s.key]
		switch {
		case s.key == "Vary":
			if len(have) != 1 || have[0] != f.Value {
				f.add(h, s.key)
			}
		case !s.yields:
		case sharedCaching:
			if len(have) == 0 {
				h[s.key] = []string{f.Value}
			}
		default:
			if len(have) != 1 || have[0] != f.Value {
				h[s.key] = PrivateCacheControl(have)
			}
			for _, name := range targeted {
				delete(h, name)
			}
		}
	}
}

// IsPrivate reports whether f says of an answer to a request with a principal
// that it is private: adapters leave it out where the response has a
// Cache-Control, and see to that before it is sent, as [KeepFields] does.
func (f Field) IsPrivate() bool {
	return f.shared != nil && f.shared.yields && f.shared.spelt == f.Name
}

// targeted are fields with which an application tells some caches in front of
// it what Cache-Control does not say (RFC 9213).
var targeted = [...]string{
	"Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "Edge-Control", "Surrogate-Control", "X-Accel-Expires",
}

// TargetedCacheFields lists the response fields with which an application tells
// caches in front of it what Cache-Control does not say (RFC 9213), as
// [http.CanonicalHeaderKey] has them. It is for adapters.
func TargetedCacheFields() []string { return targeted[:] }

// PrivateCacheControl makes Cache-Control lines say that no shared cache stores
// the response (RFC 9111 §5.2.2): public, s-maxage and the form of private that
// is about single fields go, private comes in, and all others stay. Lines that
// say so already are returned as they are, among them no-store. What is not a
// list of directives becomes no-store. It is for adapters.
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
