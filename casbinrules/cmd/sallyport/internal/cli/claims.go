package cli

import (
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// types are the types declared with --attribute.
func (s *source) types() map[string]casbinrules.AttributeType {
	types := map[string]casbinrules.AttributeType{}
	for _, a := range s.attributes {
		types[a.field] = a.kind
	}
	return types
}

// readClaims reads --claim NAME=VALUE. A name may be given several times where
// several values are meant.
func readClaims(claims []string) (map[string][]string, error) {
	values := map[string][]string{}
	for _, claim := range claims {
		name, value, ok := strings.Cut(claim, "=")
		if !ok || name == "" {
			return nil, usagef("--claim %s: write NAME=VALUE, such as region=eu", claim)
		}
		values[name] = append(values[name], value)
	}
	return values, nil
}

// oneEach are the values of attributes of one request.
func oneEach(claims map[string][]string) (map[string]any, error) {
	var values map[string]any
	for name, given := range claims {
		if len(given) > 1 {
			return nil, usagef("--claim %s is given %d times: a request has one value", name, len(given))
		}
		if values == nil {
			values = map[string]any{}
		}
		values[name] = given[0]
	}
	return values, nil
}
