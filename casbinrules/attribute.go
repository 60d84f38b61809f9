package casbinrules

import (
	"encoding/json"
	"fmt"
	"iter"
	"runtime/debug"
	"strconv"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// WithAttribute fills a field of the model's request definition other than sub, dom,
// obj and act, so that matchers can compare it:
//
//	r = sub, obj, act, region
//	m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.region == p.region
//
// A model with a field that no option fills is refused when it is opened, and so is
// an option for a field that the model does not have.
//
// value is called once for each decision, before any rule is evaluated. Its
// principal is nil for a request without credentials, and the request of its Access
// is nil for tools. It must be safe for concurrent use and must not retain the
// request. Its result is compared as a text, or as the type of [WithAttributeType].
// Its error refuses the request: with 403 (401 for an anonymous one) for
// [ErrNoAttribute], with 500 for a [*core.InternalError] and for a panic, and with
// 503 for any other error, after which it is unknown whether access is allowed. The
// request's own headers prove nothing, so take attributes from credentials, from the
// connection, or from a store.
//
// Values have no properties: a matcher with r.sub.Age is refused. So is eval: it
// makes each line of the policy a program, which neither findings nor explanations
// could understand, and in which a typing error makes every request fail. Put what a
// rule needs into a field of its own, and compare it in the matcher, with a
// [WithFunction] if Casbin has no operator for it.
func WithAttribute(field string, value func(p *core.Principal, a core.Access) (string, error)) Option {
	return func(c *config) error {
		_, taken := model.RequestFields[field]
		switch {
		case !model.IsWord(field):
			return fmt.Errorf("attribute: %q is not the name of a request field", field)
		case taken:
			return fmt.Errorf("attribute: request field %s is already defined", field)
		case value == nil:
			return fmt.Errorf("attribute %s: the function is nil", field)
		}
		if err := setKey(&c.attributes, field, value, "attribute %s: given twice"); err != nil {
			return err
		}
		return setKey(&c.Filled, field, true, "attribute %s: given twice")
	}
}

// WithClaimsAsAttributes fills request fields that no other option fills with the
// claims of the same names, as [WithClaimAttribute] does. It is for tools that open
// any model and take the values from their users. Options for fields that the model
// does not have are then ignored: see [Model.RequestFields].
func WithClaimsAsAttributes() Option {
	return func(c *config) error { return option.On(&c.AnyAttribute) }
}

// WithClaimAttribute is [WithAttribute] with the value of a claim: a text unchanged,
// a number in JSON's spelling, true or false. A request is refused with
// [ReasonNoAttribute] if it has no credentials, if these lack the claim, or if the
// claim is null, a list or an object.
func WithClaimAttribute(field, claim string) Option {
	return claimAttribute(field, claim, noClaim(claim))
}

func noClaim(claim string) func() (string, error) {
	return func() (string, error) { return "", fmt.Errorf("claim %q: %w", claim, ErrNoAttribute) }
}

// WithClaimAttributeOr is [WithClaimAttribute] with a default value, such as "", for
// requests without credentials and those whose credentials lack the claim. A claim
// that is null, a list or an object is still refused.
func WithClaimAttributeOr(field, claim, otherwise string) Option {
	return claimAttribute(field, claim, func() (string, error) { return otherwise, nil })
}

func claimAttribute(field, claim string, missing func() (string, error)) Option {
	if claim == "" {
		return func(*config) error { return fmt.Errorf("attribute %s: the claim name must not be empty", field) }
	}
	return func(c *config) error {
		c.claimed = append(c.claimed, field)
		return WithAttribute(field, claimValue(claim, missing))(c)
	}
}

func claimValue(claim string, missing func() (string, error)) attribute {
	return func(p *core.Principal, _ core.Access) (string, error) {
		if p == nil {
			return missing()
		}
		v, ok := p.Claim(claim)
		if !ok {
			return missing()
		}
		switch v := v.(type) {
		case string:
			return v, nil
		case bool:
			return strconv.FormatBool(v), nil
		case json.Number, float64, int, int64:
			text, err := json.Marshal(v)
			if err != nil { // NaN, which JSON does not have
				return "", fmt.Errorf("claim %q: %w: %w", claim, ErrNoAttribute, err)
			}
			return string(text), nil
		default:
			return "", fmt.Errorf("claim %q is not a single value: %w", claim, ErrNoAttribute)
		}
	}
}

// attribute returns the value of a request field.
type attribute func(p *core.Principal, a core.Access) (string, error)

// attributeValues are the attributes by which one request was decided.
type attributeValues struct {
	names  []string // in the order of values
	values []model.Value
	room   [4]model.Value // memory for values, so that few of them need one allocation
}

// All implements [core.Attributes].
func (v *attributeValues) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i, name := range v.names {
			if !yield(name, v.values[i].Text) {
				return
			}
		}
	}
}

// fill computes the attributes of a request in the order of the model, except those
// in about. p is nil for an anonymous request. It returns the attributes, or nil if
// the model has none.
func (c *config) fill(s *model.Schema, q *engine.Request, p *core.Principal, a *core.Access, about map[string]string) core.Attributes {
	if len(s.Attributes) == 0 {
		return nil
	}
	filled := new(attributeValues)
	if filled.values = filled.room[:]; len(s.Attributes) > len(filled.room) {
		filled.values = make([]model.Value, len(s.Attributes))
	}
	q.Attributes = filled.values[:len(s.Attributes)]
	for i, field := range s.Attributes {
		from := c.attributes[field]
		if from == nil {
			from = claimValue(field, noClaim(field)) // with WithClaimsAsAttributes
		}
		value, known := about[field]
		var err error
		if !known {
			value, err = from.of(p, *a)
		}
		if err != nil {
			q.AttributeErr = fmt.Errorf("attribute %s: %w", field, err)
			return filled
		}
		q.Attributes[i], err = typed(&c.Settings, field, value)
		if err == nil && value == engine.Unmatchable && q.Subject == engine.Unmatchable {
			// It would equal the subject, which must equal nothing.
			err = &engine.BadAttributeError{Field: field, Want: c.AttributeTypes[field]}
		}
		if err != nil {
			q.AttributeErr = err
			return filled
		}
		filled.names = s.Attributes[:i+1]
	}
	return filled
}

// typed parses the value of an attribute as its type.
func typed(c *model.Settings, field, text string) (model.Value, error) {
	t := c.AttributeTypes[field]
	v, ok := model.ParseValue(t, text)
	if !ok {
		return v, &engine.BadAttributeError{Field: field, Want: t}
	}
	return v, nil
}

// of returns the value. A panic becomes an error.
func (value attribute) of(p *core.Principal, a core.Access) (text string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &core.InternalError{Err: &core.PanicError{Value: v, Stack: debug.Stack()}}
		}
	}()
	return value(p, a)
}
