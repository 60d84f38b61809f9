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
var ErrNoAttribute = errors.New("the request lacks the attribute")

// BadAttributeError means that a request's value is not valid for its type. The error
// does not contain the value, which may be personal, since it is logged.
type BadAttributeError struct {
	Field string
	Want  model.AttributeType
}

func (e *BadAttributeError) Error() string {
	return fmt.Sprintf("attribute %s: the value is not %s", e.Field, model.DescribeType(e.Want))
}

// Variants yields variants of q, of which a denial counts, too. A variant with the
// action of q is for a name that grants nothing: q is not allowed unless it is, as the
// matcher may exclude a name, as in !g(r.sub, "banned").
func (q *Request) Variants(yield func(Request) bool) {
	if q.DenyOnlySubject == "" && !q.AsGet {
		return // without a copy
	}
	w := *q
	if q.DenyOnlySubject != "" {
		w.Subject, w.Number = q.DenyOnlySubject, q.DenyOnlyNumber
		if !yield(w) {
			return
		}
	}
	if q.AsGet {
		w.Action = http.MethodGet
		yield(w)
	}
}

// Denies reports whether a rule made the refusal.
func (a *Answer) Denies() bool { return a.Rules != nil && !a.Allowed }

// Rule returns the rule that decided, if one did.
func (a *Answer) Rule() policy.Rule { return a.Rules.At(int(a.Index)) }

// Refuse decides a request with an attribute that could not be provided.
func (q *Request) Refuse(v *Verdict) error {
	var bad *BadAttributeError
	switch {
	case errors.Is(q.AttributeErr, ErrNoAttribute):
		v.Reason = ReasonNoAttribute
	case errors.As(q.AttributeErr, &bad):
		v.Reason = ReasonBadAttribute
	default:
		return q.AttributeErr
	}
	return nil
}

// Request is a request to an engine.
type Request struct {
	// Ctx cancels pattern matching; aborted reports that it did, so that there is no
	// answer. Ctx may be nil.
	Ctx                             context.Context
	aborted                         bool
	Subject, Tenant, Object, Action string
	// Folded is the number of leading bytes of Object whose letter case the router
	// ignores.
	Folded int
	// Now is the moment at which role links are evaluated, the same for the whole
	// decision. It is set if the policy has links that do not always count.
	Now policy.Moment
	// Number is the subject's number among the names of the policy, or 0.
	Number int32
	// DenyOnlySubject is a name whose allow rules do not apply to the subject but
	// whose deny rules do. AsGet reports that Action is HEAD, and that deny rules
	// for GET apply.
	DenyOnlySubject string
	DenyOnlyNumber  int32
	AsGet           bool
	// Roles are the roles of the credentials, as the policy spells them. They count
	// as role links of the subject.
	Roles []string
	// NamedAction reports that Action is a name given by the application, not a
	// method.
	NamedAction bool
	// Attributes are the values of the fields that options provide; AttributeErr
	// says why one of them could not be provided.
	Attributes   []model.Value
	AttributeErr error
	// ObjectAttributes is set to list objects: the names of the fields that are
	// attributes of the object, and "" for other fields. unlistable says why no list
	// can be given.
	ObjectAttributes []string
	unlistable       error
	// DefaultReason is the reason of a refusal that no rule makes.
	DefaultReason core.Reason
	// ahead is set by FindSubject, and only used if the object is still the same.
	ahead objectLists
}

// longText is the length in bytes from which matching a pattern takes long enough to
// check first whether the request has been canceled.
const longText = 512

// canceled reports whether the request has been canceled, before a pattern is
// matched with a long text.
func (q *Request) canceled(text string) bool {
	if len(text) < longText || q == nil || q.Ctx == nil || q.Ctx.Err() == nil {
		return false
	}
	q.aborted = true
	return true
}

// failure returns the error of a request that an engine could not decide.
func (q *Request) failure(err error) error {
	if q.Ctx != nil && q.Ctx.Err() != nil {
		return q.Ctx.Err()
	}
	return &core.InternalError{Err: err}
}

// Answer is the answer of an engine.
type Answer struct {
	Allowed bool
	// Index is that of the rule that decided, among Rules, which are nil if none did.
	// Decisions do not fetch the rule: with the rule itself here they take 141 ns instead
	// of 137, and 5 to 10% longer if they are about 300,000 subjects at random.
	Index int32
	Rules *policy.Rules
	// Place is the place of that rule, if the engine already has it.
	Place string
	// Spelled is the spelling of the object that was refused, if it differs from
	// that of the request.
	Spelled string
	// By is the engine that decided, or "" if none was needed.
	By Name
}

// Values returns the request fields in the form that Casbin takes, with capacity for
// one more.
func (q *Request) Values(s *model.Schema) []any {
	values := make([]any, 0, len(s.Request)+1)
	for _, f := range s.Request {
		if f < model.FieldAttribute {
			values = append(values, q.Text(f))
		} else {
			values = append(values, model.Argument(s.TypeOf(f), q.attribute(f)))
		}
	}
	return values
}

// Text returns the text of a field.
func (q *Request) Text(f model.RequestField) string {
	switch f {
	case model.FieldSubject:
		return q.Subject
	case model.FieldTenant:
		return q.Tenant
	case model.FieldObject:
		return q.Object
	case model.FieldAction:
		return q.Action
	default:
		return q.attribute(f).Text
	}
}

// objectAttribute returns the name of the object attribute that an operand refers
// to, or "".
func (q *Request) objectAttribute(o *model.Operand) string {
	if i := int(o.Field - model.FieldAttribute); o.Kind == model.OperandRequest && 0 <= i && i < len(q.ObjectAttributes) {
		return q.ObjectAttributes[i]
	}
	return ""
}

// attribute returns the value of a field that an option provides.
func (q *Request) attribute(f model.RequestField) model.Value {
	if i := int(f - model.FieldAttribute); i < len(q.Attributes) {
		return q.Attributes[i]
	}
	return model.Value{}
}
