// Package authzen answers, over HTTP, whether something would be allowed, so that
// a front end knows which buttons to show. Requests and responses are those of
// Access Evaluation and Access Evaluations in the OpenID AuthZEN Authorization API
// 1.0 (§6, §7); each question is decided by the authorizer that the gates use.
//
//	az, err := authzen.New(guard, policy)
//	mux.Handle("POST /access/v1/evaluation", httpauth.Serve(az.Evaluation))
//	mux.Handle("POST /access/v1/evaluations", httpauth.Serve(az.Evaluations))
//
// The endpoints are mounted with Serve of an adapter and run gate one themselves: a
// client that has not signed in gets 401 and a challenge. An answer is only a hint
// for what to show: the gates decide again on each request.
package authzen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/option"
)

// ReasonForeignSubject is the reason for refusing a question about somebody else
// with 403.
const ReasonForeignSubject core.Reason = "foreign_subject"

// The default limits. More questions than allowed in one body are an error for the
// whole body.
const (
	maxBody             = 1 << 20
	defaultMaxQuestions = 1_000
)

// Entity is a subject or a resource in a request (AuthZEN §5). Properties come from
// the client, and prove nothing.
type Entity struct {
	Type, ID   string
	Properties map[string]any
}

// PDP answers evaluations. It is safe for concurrent use.
type PDP struct {
	authorizer   core.Authorizer
	guard        *core.Guard
	gate         *core.Gate
	subjects     func(ctx context.Context, asker *core.Principal, subject Entity) (*core.Principal, error)
	resources    func(p *core.Principal, resource Entity) (core.Resource, error)
	maxQuestions int
}

// Option configures a [PDP].
type Option func(*PDP) error

// WithSubjects lets principals ask about others: f returns the principal of a
// subject, or nil if the asker may not ask about it, which results in 403. Without
// it principals can ask only about themselves. It is for gateways and services that
// ask on behalf of their users, so f must check the asker first. The returned
// principal has the roles that f gives it, not those in the asker's credentials. An
// error results in 503, or 500 if it is a [*core.InternalError].
func WithSubjects(f func(ctx context.Context, asker *core.Principal, subject Entity) (*core.Principal, error)) Option {
	return func(p *PDP) error { return option.SetOnce(&p.subjects, f, "function for subjects") }
}

// WithResources sets a function that maps a resource in a question about p to the
// policy's resource. Without it a resource of type "path" is the path of a request,
// as a client would send it, and one of type "object" a name as in
// core.WithResourceName; others are denied. If f returns an error, the decision is
// false, and the client is told the error's text, except for a
// [*core.UnavailableError] (503) and a [*core.InternalError] (500).
func WithResources(f func(p *core.Principal, resource Entity) (core.Resource, error)) Option {
	return func(p *PDP) error { return option.Set(&p.resources, f, "resources: the function is nil") }
}

// WithMaxQuestions sets the maximum number of questions in one request; 1,000 by
// default.
func WithMaxQuestions(n int) Option {
	return func(p *PDP) error {
		return option.SetUnless(&p.maxQuestions, n, n < 1, "%d questions: must be at least 1", n)
	}
}

// New returns the endpoints of a guard. They ask authorizer, which should be the
// one of the guard's gates.
func New(guard *core.Guard, authorizer core.Authorizer, opts ...Option) (*PDP, error) {
	switch {
	case guard == nil:
		return nil, errors.New("authzen: the guard is nil")
	case isnil.Value(authorizer):
		return nil, errors.New("authzen: the authorizer is nil")
	}
	p := &PDP{authorizer: authorizer, guard: guard, resources: Plain, maxQuestions: defaultMaxQuestions}
	if err := option.Apply(p, opts); err != nil {
		return nil, fmt.Errorf("authzen: %w", err)
	}
	var err error
	if p.gate, err = guard.Authenticate(); err != nil {
		return nil, fmt.Errorf("authzen: %w", err)
	}
	return p, nil
}

// Plain is the default of [WithResources], for functions that extend it with types
// of their own.
func Plain(_ *core.Principal, resource Entity) (core.Resource, error) {
	switch resource.Type {
	case "object":
		return core.Resource{Name: resource.ID}, nil
	case "path":
		sent, _, _ := strings.Cut(resource.ID, "?")
		if !strings.HasPrefix(sent, "/") {
			return core.Resource{}, errors.New("the path must begin with a slash")
		}
		path, err := adapter.CanonicalPath(core.Route{Path: sent, Escaped: true, InnerSlashes: adapter.EncodedSlashes(sent)})
		if err != nil {
			return core.Resource{}, errors.New("a request for this path is answered with 400")
		}
		return core.Resource{Path: path}, nil
	default:
		return core.Resource{}, errors.New("unknown type of resource")
	}
}

// Evaluation is the endpoint for one question (AuthZEN §6). It responds with 200
// and the decision, 400 and a description of the error for an invalid body, or the
// guard's 401, 403, 429 and 503. It accepts only POST.
func (p *PDP) Evaluation(ctx context.Context, r core.Request) core.Response {
	return p.serve(ctx, r, func(body map[string]any, ask func(question) (decision, error)) (any, error) {
		q, err := read(body, nil)
		if err != nil {
			return nil, err
		}
		return ask(q)
	})
}

// Evaluations is the endpoint for several questions (AuthZEN §7), with defaults and
// with options.evaluations_semantic. An invalid question is denied, and its context
// says why. Without a list of questions it is like [PDP.Evaluation].
func (p *PDP) Evaluations(ctx context.Context, r core.Request) core.Response {
	return p.serve(ctx, r, func(body map[string]any, ask func(question) (decision, error)) (any, error) {
		list, there := body["evaluations"]
		questions, isList := list.([]any)
		if there && !isList {
			return nil, badRequest("evaluations is not an array")
		}
		if len(questions) == 0 {
			q, err := read(body, nil)
			if err != nil {
				return nil, err
			}
			return ask(q)
		}
		if len(questions) > p.maxQuestions {
			return nil, badRequest(fmt.Sprintf("%d evaluations: at most %d are answered at a time", len(questions), p.maxQuestions))
		}
		stop, err := semantic(body)
		if err != nil {
			return nil, err
		}
		answers := make([]decision, 0, len(questions))
		for _, one := range questions {
			d, err := p.oneOf(one, body, ask)
			if err != nil {
				return nil, err
			}
			answers = append(answers, d)
			if stop != nil && d.Decision == *stop {
				break
			}
		}
		return map[string]any{"evaluations": answers}, nil
	})
}

// oneOf answers one of many. What is wrong with it denies it alone.
func (p *PDP) oneOf(one any, defaults map[string]any, ask func(question) (decision, error)) (decision, error) {
	own, ok := one.(map[string]any)
	if !ok {
		return denied("the evaluation is not an object"), nil
	}
	q, err := read(own, defaults)
	if err != nil {
		return denied(err.Error()), nil
	}
	return ask(q)
}

// Metadata returns the endpoint for /.well-known/authzen-configuration (AuthZEN
// §9). base is the https URL of the service, below which the endpoints are mounted
// at /access/v1/.
func Metadata(base string) (core.Endpoint, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(base, "/") {
		return nil, fmt.Errorf("authzen: base %q: must be an https URL without a query, a fragment or a trailing slash", base)
	}
	body := encode(map[string]string{
		"policy_decision_point":       base,
		"access_evaluation_endpoint":  base + "/access/v1/evaluation",
		"access_evaluations_endpoint": base + "/access/v1/evaluations",
	})
	return func(context.Context, core.Request) core.Response {
		return core.Response{Status: http.StatusOK, Fields: []core.Field{{Name: "Content-Type", Value: "application/json"}}, Body: body}
	}, nil
}
