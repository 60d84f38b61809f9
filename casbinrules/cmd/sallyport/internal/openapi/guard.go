package openapi

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core"
)

// Scheme is a scheme of the guard.
type Scheme = setup.Scheme

// Answer is a refusal that the guard sends.
type Answer struct {
	Status int
	// Fields are the header fields sent.
	Fields []core.Field
	// Bodies are the bodies sent, by accepted media type.
	Bodies []Body
}

// Body is a body in one media type.
type Body struct {
	MediaType string
	Content   []byte
}

// kinds are the refusals to describe.
var kinds = []core.Kind{core.Unauthenticated, core.Forbidden, core.Limited, core.Unavailable}

// accepted are the media types that clients may accept.
var accepted = []string{"", "application/problem+json", "application/json", "text/plain", "text/html"}

// Answers returns the refusals of a guard, in each format it supports.
func Answers(g *core.Guard, newRequest func(accept string) core.Request) []Answer {
	var all []Answer
	for _, kind := range kinds {
		a := Answer{Status: kind.Status()}
		for _, accept := range accepted {
			resp := g.Refusal(newRequest(accept), kind)
			mediaType := ""
			for _, f := range resp.Fields {
				if strings.EqualFold(f.Name, "Content-Type") {
					mediaType, _, _ = strings.Cut(f.Value, ";")
				}
			}
			if resp.Status != a.Status || mediaType == "" || slices.ContainsFunc(a.Bodies, func(b Body) bool { return b.MediaType == mediaType }) {
				continue
			}
			if a.Bodies == nil {
				a.Fields = resp.Fields
			}
			a.Bodies = append(a.Bodies, Body{mediaType, resp.Body})
		}
		if a.Bodies != nil {
			all = append(all, a)
		}
	}
	return all
}

// responseTexts are the names and descriptions of responses, by status.
var responseTexts = map[int][2]string{
	401: {"Unauthenticated", "Who sends the request is not known: the credentials are missing, expired, malformed or wrong. Sign in as a challenge says, or renew the token, and repeat the request once."},
	403: {"Forbidden", "Who sends the request is known and may not do this. Neither signing in again nor repeating the request helps."},
	429: {"TooManyAttempts", "Too many attempts to sign in have failed. Wait as long as Retry-After says."},
	503: {"Unavailable", "Access cannot be checked at the moment, since a service that is needed for it does not answer. Wait as long as Retry-After says."},
}

// components writes schemes, schemas and responses.
func (m *merge) components() error {
	for _, s := range m.guard.Schemes {
		name, value := securityScheme(s)
		if s.Place == setup.InConnection && strings.HasPrefix(m.version(), "3.0") {
			return fmt.Errorf("OpenAPI %s has no word for client certificates: write openapi: 3.1.0 into the file", m.version())
		}
		name, err := m.component("securitySchemes", name, value)
		if err != nil {
			return err
		}
		m.schemes = append(m.schemes, name)
	}
	m.responses = map[int]string{}
	for _, a := range m.guard.Answers {
		value, err := m.response(a)
		if err != nil {
			return err
		}
		if m.responses[a.Status], err = m.component("responses", responseTexts[a.Status][0], value); err != nil {
			return err
		}
	}
	return nil
}

// securityScheme returns the component for a scheme, and its name.
func securityScheme(s Scheme) (string, *yaml.Node) {
	name := strings.ToLower(s.Name)
	value := mapping()
	switch s.Place {
	case setup.InConnection:
		setKey(value, "type", text("mutualTLS"))
	case setup.InAuthorization:
		setKey(value, "type", text("http"))
		setKey(value, "scheme", text(name))
		if s.JWT && name == "bearer" { // OpenAPI defines bearerFormat for no other scheme
			setKey(value, "bearerFormat", text("JWT"))
		}
	default:
		setKey(value, "type", text("apiKey"))
		setKey(value, "in", text(string(s.Place)))
		setKey(value, "name", text(s.Field))
		if s.Name == "Bearer" {
			name += "_" + string(s.Place)
		}
	}
	var about []string
	if len(s.Issuers) > 0 {
		about = append(about, "Tokens are issued by "+strings.Join(s.Issuers, ", ")+".")
	}
	if s.Name == "DPoP" {
		about = append(about, "Each request has a proof in the header field DPoP (RFC 9449).")
	}
	if len(about) > 0 {
		setKey(value, "description", text(strings.Join(about, " ")))
	}
	return name, value
}

func (m *merge) response(a Answer) (*yaml.Node, error) {
	content := mapping()
	for _, b := range a.Bodies {
		value, err := m.mediaType(b)
		if err != nil {
			return nil, err
		}
		setKey(content, b.MediaType, value)
	}
	return mapping(
		"description", text(responseTexts[a.Status][1]),
		"headers", m.headers(a),
		"content", content,
	), nil
}

// randomParams matches parameters of challenges whose values change each time.
var randomParams = regexp.MustCompile(`(\b(?:nonce|opaque)=)"[^"]*"`)

// headers returns the header fields of an answer that clients act upon.
func (m *merge) headers(a Answer) *yaml.Node {
	var challenges []string
	all := mapping()
	for _, f := range a.Fields {
		switch name := strings.ToLower(f.Name); name {
		case "www-authenticate":
			challenges = append(challenges, randomParams.ReplaceAllString(f.Value, `$1"…"`))
		case "retry-after":
			seconds, err := strconv.Atoi(f.Value)
			if err != nil {
				continue
			}
			setKey(all, "Retry-After", header("How many seconds to wait (RFC 9110 §10.2.3).", true, "integer", number(seconds)))
		case "cache-control":
			setKey(all, "Cache-Control", header("A refusal is kept by no cache.", true, "string", text(f.Value)))
		case "dpop-nonce":
			setKey(all, "DPoP-Nonce", header("The nonce for the next proof (RFC 9449 §8).", true, "string", nil))
		}
	}
	switch {
	case len(challenges) > 0:
		setKey(all, "WWW-Authenticate", header("How to authenticate: a challenge for each scheme (RFC 9110 §11.6.1). Of bad credentials it says what is wrong with them, as far as clients may know.", true, "string", text(strings.Join(challenges, ", "))))
	case a.Status == 403 && slices.ContainsFunc(m.guard.Schemes, func(s Scheme) bool { return s.Name == "Bearer" || s.Name == "DPoP" }):
		setKey(all, "WWW-Authenticate", header("Only where the token lacks a scope: a challenge with error=\"insufficient_scope\" (RFC 6750 §3.1).", false, "string", nil))
	}
	return all
}

func header(about string, required bool, kind string, example *yaml.Node) *yaml.Node {
	n := mapping("description", text(about))
	if required {
		setKey(n, "required", boolean(true))
	}
	setKey(n, "schema", mapping("type", text(kind)))
	if example != nil {
		setKey(n, "example", example)
	}
	return n
}

func (m *merge) mediaType(b Body) (*yaml.Node, error) {
	schema, known := bodies[b.MediaType]
	if !known {
		n := mapping("schema", mapping("type", text("string")))
		if b.MediaType == "text/plain" {
			setKey(n, "example", text(string(b.Content)))
		}
		return n, nil
	}
	name, err := m.component("schemas", schema.name, schema.make())
	if err != nil {
		return nil, err
	}
	example, err := parseJSON(bytes.TrimSpace(b.Content))
	if err != nil {
		return nil, fmt.Errorf("the body in %s: %w", b.MediaType, err)
	}
	return mapping("schema", mapping("$ref", text("#/components/schemas/"+name)), "example", example), nil
}

// bodies are the schemas of JSON bodies, by media type.
var bodies = map[string]struct {
	name string
	make func() *yaml.Node
}{
	"application/problem+json": {"Problem", func() *yaml.Node {
		return object("Problem details (RFC 9457).", []string{"title", "status", "error"},
			member{"title", "string", "The phrase of the status."}, member{"status", "integer", "The status."},
			member{"detail", "string", "A sentence for people."},
			member{"instance", "string", "The ID of the request."}, errorCode)
	}},
	"application/json": {"Refusal", func() *yaml.Node {
		return object("Why a request was refused.", []string{"error", "message"},
			errorCode, member{"message", "string", "A sentence for people."},
			member{"request_id", "string", "The ID of the request."})
	}},
}

type member struct{ name, kind, about string }

var errorCode = member{"error", "string", "A stable code for programs."}

// needs are the members that describe what a request lacks.
var needs = []member{
	{"scope", "string", "The scopes that the request needs (RFC 6750)."},
	{"acr_values", "string", "How to sign in for the request (RFC 9470)."},
	{"max_age", "integer", "How many seconds ago the sign-in may be (RFC 9470)."},
}

func object(about string, required []string, members ...member) *yaml.Node {
	must, properties := list(), mapping()
	for _, name := range required {
		must.Content = append(must.Content, text(name))
	}
	for _, p := range append(members, needs...) {
		setKey(properties, p.name, mapping("type", text(p.kind), "description", text(p.about)))
	}
	return mapping("type", text("object"), "description", text(about), "required", must, "properties", properties)
}
