package probe

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// place is where an identity sends credentials other than a bearer token or a password: a
// cookie, a field such as X-API-Key, or another scheme.
type place struct {
	name, value string
	// put returns the identity's fields with another value in this place.
	put func(value string) []core.Field
}

// badInPlaces returns bad credentials for each place in which an identity sends its own.
func badInPlaces(identities []Identity) []badCredential {
	var made []badCredential
	var seen []string
	for _, id := range identities {
		p, ok := placeOf(id.Header)
		if !ok || id.isBad() || slices.Contains(seen, p.name) {
			continue
		}
		seen = append(seen, p.name)
		made = append(made, badCredential{asMalformed, "one word in " + p.name, p.put("not-a-token")})
		if token, ok := parseJWT(p.value); ok {
			for _, f := range token.forgeries() {
				made = append(made, badCredential{f.as, f.variant + ", in " + p.name, p.put(f.token)})
			}
		}
	}
	return made
}

// placeOf returns the place of an identity's credentials, unless they are an Authorization
// field with a bearer token or a password.
func placeOf(header []core.Field) (place, bool) {
	if len(header) == 0 {
		return place{}, false
	}
	i := max(slices.IndexFunc(header, func(f core.Field) bool { return strings.EqualFold(f.Name, "Authorization") }), 0)
	f := header[i]
	with := func(format func(value string) string) func(string) []core.Field {
		return func(value string) []core.Field {
			fields := slices.Clone(header)
			fields[i].Value = format(value)
			return fields
		}
	}
	switch {
	case strings.EqualFold(f.Name, "Cookie"):
		return cookiePlace(f, with)
	case !strings.EqualFold(f.Name, "Authorization"):
		return place{f.Name, f.Value, with(func(value string) string { return value })}, true
	}
	scheme, value, _ := strings.Cut(f.Value, " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Basic") {
		return place{}, false
	}
	return place{"Authorization: " + scheme, value, with(func(value string) string { return scheme + " " + value })}, true
}

// cookiePlace returns the cookie with a token, or else the one with the longest value.
func cookiePlace(f core.Field, with func(func(string) string) func(string) []core.Field) (place, bool) {
	cookies := (&http.Request{Header: http.Header{"Cookie": {f.Value}}}).Cookies()
	if len(cookies) == 0 {
		return place{}, false
	}
	which := 0
	for i, c := range cookies {
		if _, ok := parseJWT(c.Value); ok {
			which = i
			break
		}
		if len(c.Value) > len(cookies[which].Value) {
			which = i
		}
	}
	format := func(value string) string {
		var parts []string
		for i, c := range cookies {
			if i == which {
				parts = append(parts, c.Name+"="+value)
				continue
			}
			parts = append(parts, c.Name+"="+c.Value)
		}
		return strings.Join(parts, "; ")
	}
	return place{"Cookie " + cookies[which].Name, cookies[which].Value, with(format)}, true
}
