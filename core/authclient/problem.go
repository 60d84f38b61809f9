package authclient

import (
	"bytes"
	"encoding/json"
	"mime"
	"strings"
)

// Problem is the content of a refusal's body (RFC 9457). All texts come from the
// service and may contain anything.
type Problem struct {
	// Type is a URI reference; "about:blank" if the body names none.
	Type string
	// Title and Detail are for people.
	Title, Detail string
	// Instance is a URI reference for this one occurrence.
	Instance string
	// Code is the member "error": a stable code for programs, such as
	// "forbidden", "insufficient_scope" or one that a rule has attached.
	Code string
	// Members holds all members of the document undecoded, those above and
	// extensions; nil if there was no document. Of two with the same name the last
	// one counts.
	Members map[string]json.RawMessage
}

// ParseProblem parses the body of a response with the given Content-Type.
//
// It accepts application/problem+json, application/json and any other +json that
// contains an object; "message" replaces a missing detail. A member of the wrong
// type counts as missing (RFC 9457 §3.1), and a body that cannot be parsed as a
// document without members: the status of the response says enough.
func ParseProblem(contentType string, body []byte) Problem {
	p := Problem{Type: "about:blank"}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return p
	}
	if err := json.Unmarshal(body, &p.Members); err != nil {
		p.Members = nil
		return p
	}
	p.text("type", &p.Type)
	p.text("title", &p.Title)
	p.text("message", &p.Detail)
	p.text("detail", &p.Detail)
	p.text("instance", &p.Instance)
	p.text("error", &p.Code)
	return p
}

// text decodes a member into dst, if it is a string.
func (p *Problem) text(name string, dst *string) {
	value := bytes.TrimSpace(p.Members[name])
	if len(value) == 0 || value[0] != '"' {
		return
	}
	var s string
	if json.Unmarshal(value, &s) == nil && s != "" {
		*dst = s
	}
}
