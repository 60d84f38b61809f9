package policyfile

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/quoted"
)

// CheckAttributes refuses a type for a field that none of the models has: it is
// probably misspelt, and the intended field would be compared as text.
func (s *Source) CheckAttributes(models ...casbinrules.Model) error {
	if len(s.Attribute) == 0 {
		return nil
	}
	var fields []string
	for _, m := range models {
		more, err := m.RequestFields()
		if err != nil {
			return err
		}
		if more == nil {
			return nil // the model is invalid, and has findings about that
		}
		fields = append(fields, more...)
	}
	slices.Sort(fields)
	attributes := ask.Attributes(slices.Compact(fields))
	for _, a := range s.Attribute {
		if field, _, _ := strings.Cut(a, "="); !slices.Contains(fields, field) {
			return command.Usagef("--attribute %s: %s", a, ask.NoAttribute(field, attributes))
		}
	}
	return nil
}

// ReadClaims parses --claim NAME=VALUE. A name may be given several times, for
// several values.
func ReadClaims(claims []string) (map[string][]string, error) {
	values := map[string][]string{}
	for _, claim := range claims {
		name, value, ok := strings.Cut(claim, "=")
		if !ok || name == "" {
			return nil, command.Usagef("--claim %s: write NAME=VALUE, such as region=eu", claim)
		}
		values[name] = append(values[name], value)
	}
	return values, nil
}

// OneEach returns the values of attributes for one request.
func OneEach(claims map[string][]string) (map[string]any, error) {
	var values map[string]any
	for name, given := range claims {
		if len(given) > 1 {
			return nil, command.Usagef("--claim %s is given %d times: a request has one value", name, len(given))
		}
		if values == nil {
			values = map[string]any{}
		}
		values[name] = given[0]
	}
	return values, nil
}

// SplitRoles splits "erin:editor,viewer" at the last colon outside quotes. A
// subject that contains a colon is quoted like a field of a policy line.
func SplitRoles(arg string) (subject string, roles []string, err error) {
	at, inQuotes := -1, false
	for i := range len(arg) {
		switch {
		case arg[i] == '"':
			inQuotes = !inQuotes
		case arg[i] == ':' && !inQuotes:
			at = i
		}
	}
	if at < 0 {
		at = len(arg)
	}
	subject = arg[:at]
	if strings.HasPrefix(subject, `"`) {
		var rest string
		if subject, rest, err = quoted.Cut(subject); err != nil || rest != "" {
			return "", nil, command.Usagef("the subject %s: end it with a quote, and double a quote inside", arg[:at])
		}
	}
	if at == len(arg) {
		return subject, nil, nil
	}
	list, err := quoted.List(arg[at+1:])
	if err != nil {
		return "", nil, command.Usagef("the roles of %s: %s", arg, err)
	}
	for _, role := range list {
		if role != "" {
			roles = append(roles, role)
		}
	}
	return subject, roles, nil
}
