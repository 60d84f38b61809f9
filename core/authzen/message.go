package authzen

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
)

// maxText is the maximum length in bytes of each text in a question, as of a path by
// default ([core.WithMaxPathSize]): a thousand questions may share one text, and
// comparing it with patterns costs more the longer it is. Other than at a gate, the query
// of a path counts, since functions of the application get the text with it.
const maxText = 8 << 10

// question is what one evaluation asks. Its context is not looked at.
type question struct {
	subject, resource Entity
	action            string
}

// decision is the answer to one (AuthZEN §6.2).
type decision struct {
	Decision bool     `json:"decision"`
	Context  *unasked `json:"context,omitempty"`
}

// unasked says why a question was not put to the policy.
type unasked struct {
	Error struct {
		Status  int    `json:"status"`
		Message string `json:"message"`
	} `json:"error"`
}

func denied(why string) decision {
	d := decision{Context: new(unasked)}
	d.Context.Error.Status, d.Context.Error.Message = 400, why
	return d
}

// badRequest is what is wrong with a whole body.
type badRequest string

func (e badRequest) Error() string { return string(e) }

// readBody decodes a body, of at most [maxBody] bytes.
func readBody(r core.Request) (map[string]any, error) {
	b, ok := r.(core.BodyReader)
	if !ok {
		return nil, &core.InternalError{Err: fmt.Errorf("request of type %T has no body to read: implement core.BodyReader, as the requests of all adapters do", r)}
	}
	field, n := r.Header("Content-Type")
	if media, _, err := mime.ParseMediaType(field); err != nil || n != 1 || media != "application/json" {
		return nil, badRequest("Content-Type is not application/json")
	}
	text, err := bounded.Read(b.Body(), maxBody)
	var long *bounded.LengthError
	switch {
	case errors.As(err, &long):
		return nil, badRequest("the body is " + long.Error())
	case err != nil:
		return nil, badRequest("the body cannot be read")
	}
	body, err := strictjson.Decode(string(text))
	if err != nil {
		return nil, badRequest("the body is not a JSON object: " + err.Error())
	}
	return body, nil
}

// read is the question in an object. What it leaves out is that of defaults, also
// within subject, action and resource.
func read(own, defaults map[string]any) (q question, err error) {
	if q.subject, err = entity(own, defaults, "subject"); err != nil {
		return q, err
	}
	if q.resource, err = entity(own, defaults, "resource"); err != nil {
		return q, err
	}
	q.action, err = member(own, defaults, "action", "name")
	return q, err
}

func entity(own, defaults map[string]any, name string) (e Entity, err error) {
	if e.Type, err = member(own, defaults, name, "type"); err != nil {
		return e, err
	}
	if e.ID, err = member(own, defaults, name, "id"); err != nil {
		return e, err
	}
	from, err := object(own, name)
	if from == nil && err == nil {
		from, err = object(defaults, name)
	}
	if err == nil {
		e.Properties, err = object(from, "properties")
	}
	return e, err
}

// member is a text in the object of that name, which must be there and not empty.
func member(own, defaults map[string]any, name, part string) (string, error) {
	for _, in := range []map[string]any{own, defaults} {
		from, err := object(in, name)
		if err != nil {
			return "", err
		}
		value, there := from[part]
		if !there {
			continue
		}
		text, ok := value.(string)
		switch {
		case len(text) > maxText:
			return "", badRequest(fmt.Sprintf("%s.%s is longer than %d bytes", name, part, maxText))
		case ok && text != "":
			return text, nil
		}
		return "", badRequest(name + "." + part + " is not a string, or empty")
	}
	return "", badRequest(name + "." + part + " is missing")
}

// object is the object of that name, or nil.
func object(in map[string]any, name string) (map[string]any, error) {
	value, there := in[name]
	o, ok := value.(map[string]any)
	if there && !ok {
		return nil, badRequest(name + " is not an object")
	}
	return o, nil
}

// semantic is the decision behind which no further question is answered, or nil.
func semantic(body map[string]any) (*bool, error) {
	options, err := object(body, "options")
	if err != nil {
		return nil, err
	}
	stop := false
	switch options["evaluations_semantic"] {
	case nil, "execute_all":
		return nil, nil
	case "deny_on_first_deny":
	case "permit_on_first_permit":
		stop = true
	default:
		return nil, badRequest("options.evaluations_semantic is not one of execute_all, deny_on_first_deny and permit_on_first_permit")
	}
	return &stop, nil
}

// encode is v as JSON.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // nothing here has a type that cannot be encoded
	}
	return text
}
