package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// ErrNoAttribute is what the function of a WithAttribute option returns, possibly
// wrapped, if the request does not have the attribute. The request is then refused with
// [ReasonNoAttribute], whatever the policy says.
var ErrNoAttribute = errors.New("no such attribute")

// BadAttributeError means that a request's value is not valid for its type. The error
// does not contain the value, which may be personal, since it is logged.
type BadAttributeError struct {
	Field string
	Want  model.AttributeType
}

func (e *BadAttributeError) Error() string {
	return fmt.Sprintf("attribute %s: the value does not read as %s", e.Field, model.DescribeType(e.Want))
}

// Wider returns the question of which only a denial counts.
func (q *Request) Wider() Request {
	w := *q
	if q.Denied != "" {
		w.Subject, w.Number = q.Denied, q.DeniedNumber
	}
	if q.AsGet {
		w.Action = http.MethodGet
	}
	return w
}

// Denies reports whether the refusal was made by a rule.
func (a *Answer) Denies() bool { return a.Rule != nil && !a.Allowed }

// Refuse answers a question with a field that could not be provided.
func (q *Request) Refuse(v *Verdict) error {
	var bad *BadAttributeError
	switch {
	case errors.Is(q.Unfilled, ErrNoAttribute):
		v.Otherwise = ReasonNoAttribute
	case errors.As(q.Unfilled, &bad):
		v.Otherwise = ReasonBadAttribute
	default:
		return q.Unfilled
	}
	return nil
}

// Request is a question to an engine.
type Request struct {
	// Ctx ends the matching of patterns; cut reports that it has, so that there is no
	// answer. It is nil if nobody waits for one.
	Ctx                             context.Context
	cut                             bool
	Subject, Tenant, Object, Action string
	// Folded is the number of bytes of the object that may be in any letter case.
	Folded int
	// Now determines which role links count, as one moment for the whole question; it
	// is set if the policy has links that may not count.
	Now policy.Moment
	// Number is the subject's number among the names of the policy, or 0.
	Number int32
	// Denied is a name that gives the subject nothing but still denies; AsGet reports
	// that the question is about HEAD, and that what is denied for GET counts.
	Denied       string
	DeniedNumber int32
	AsGet        bool
	// Roles are the roles of the credentials, as written in the policy. They count as
	// role links of the subject.
	Roles []string
	// Named reports that the action is a name given by the application, not a method.
	Named bool
	// Attributes are the values of the fields that options provide; unfilled is why
	// one of them could not be provided.
	Attributes []model.Value
	Unfilled   error
	// OfObject are the names of the attributes that objects have, in a question for
	// a list of objects, and "" for the others; unsaid is what no list can say.
	OfObject []string
	unsaid   error
	// Otherwise is the reason of a refusal that no rule makes.
	Otherwise core.Reason
	// ahead is set by LookAhead, and only used if the object is still the same.
	ahead objectLists
}

// longText is from which length on, in bytes, matching a pattern takes long
// enough to look first whether anybody still waits for the answer.
const longText = 512

// over reports whether nobody waits for the answer any more, before a pattern is
// matched against a text.
func (q *Request) over(text string) bool {
	if len(text) < longText || q == nil || q.Ctx == nil || q.Ctx.Err() == nil {
		return false
	}
	q.cut = true
	return true
}

// failure is the error of a question that an engine has not answered.
func (q *Request) failure(err error) error {
	if q.Ctx != nil && q.Ctx.Err() != nil {
		return q.Ctx.Err()
	}
	return &core.InternalError{Err: err}
}

// Answer is what an engine says. rule is the one that decided, nil when none
// did.
type Answer struct {
	Allowed bool
	Rule    *policy.Rule
	// Place is the rule's, where the engine has it at hand.
	Place string
	// Spelled is the object that was refused, where it is another than asked for.
	Spelled string
	// By is the engine that was asked, if one was.
	By Name
}

// Values are the request fields as Casbin takes them, with room for one more.
func (q *Request) Values(s *model.Schema) []any {
	values := make([]any, 0, len(s.Request)+1)
	for _, f := range s.Request {
		switch f {
		case model.FieldSubject:
			values = append(values, q.Subject)
		case model.FieldTenant:
			values = append(values, q.Tenant)
		case model.FieldObject:
			values = append(values, q.Object)
		case model.FieldAction:
			values = append(values, q.Action)
		default:
			values = append(values, model.Argument(s.TypeOf(f), q.attribute(f)))
		}
	}
	return values
}

// ofObject is the name of the attribute of the object that an operand is, in a
// question for a list, or "".
func (q *Request) ofObject(o *model.Operand) string {
	if i := int(o.Field - model.FieldAttribute); o.Kind == model.OperandRequest && 0 <= i && i < len(q.OfObject) {
		return q.OfObject[i]
	}
	return ""
}

// attribute is the value of a field that an option fills.
func (q *Request) attribute(f model.RequestField) model.Value {
	if i := int(f - model.FieldAttribute); i < len(q.Attributes) {
		return q.Attributes[i]
	}
	return model.Value{}
}
