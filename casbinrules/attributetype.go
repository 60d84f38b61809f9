package casbinrules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// ParseAttribute parses the declaration of an attribute in a command line or a
// configuration, such as "age=number": the field of the request definition, and its
// type for [WithAttributeType].
func ParseAttribute(s string) (field string, t AttributeType, err error) {
	field, name, ok := strings.Cut(s, "=")
	i := slices.Index(model.AttributeTypes[:], name)
	switch {
	case !ok:
		return "", Text, fmt.Errorf("attribute %q: write FIELD=TYPE, such as age=number", s)
	case i < 0:
		return "", Text, fmt.Errorf("attribute %q: unknown type %q: use one of %s", s, name, strings.Join(model.AttributeTypes[:], ", "))
	}
	if err := model.CheckTypedField(field); err != nil {
		return "", Text, err
	}
	return field, AttributeType(i), nil
}

// WithAttributeType declares the type of an attribute whose value comes from a
// [WithAttribute] or [WithClaimAttribute] for the same field:
//
//	casbinrules.WithClaimAttribute("age", "age"),
//	casbinrules.WithAttributeType("age", casbinrules.Number),
//
// Without it an attribute is a text, and a matcher that compares it by order is
// refused. With it the matcher may compare the attribute with other attributes of the
// type, with literals, as in r.age >= 18 or r.time < "17:30", and with fields of the
// policy, as in r.age >= p.min. Such a field of the policy has the same type, and any
// other value there is an error with its file, line and column when the policy is
// loaded.
//
// A request whose value cannot be read as the type is refused with
// [ReasonBadAttribute], whatever the policy says.
//
// A model that lacks the field of a declared type is refused.
func WithAttributeType(field string, t AttributeType) Option {
	return func(c *config) error {
		if err := model.CheckTypedField(field); err != nil {
			return err
		}
		if int(t) >= len(model.AttributeTypes) {
			return fmt.Errorf("attribute %s: unknown type %s", field, t)
		}
		return setKey(&c.AttributeTypes, field, t, "attribute %s: the type is declared twice")
	}
}
