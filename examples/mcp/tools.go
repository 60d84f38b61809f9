package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

const (
	readScope  = "reports:read"
	writeScope = "reports:write"
)

// tool is one that the server offers.
type tool struct {
	mcp.Tool
	needs core.Authorizer // beside the policy: what the token must be good for
	run   func(p *core.Principal, in input) (string, error)
}

// input is what the tools take.
type input struct {
	ID string `json:"id,omitempty" jsonschema:"the report"`
}

func newTools() []tool {
	var mu sync.Mutex
	reports := []string{"7", "8"}
	return []tool{
		{mcp.Tool{Name: "reports_list", Description: "List the reports."}, rule.Any(rule.Scope(readScope), rule.Scope(writeScope)), func(*core.Principal, input) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			return strings.Join(reports, " "), nil
		}},
		{mcp.Tool{Name: "reports_delete", Description: "Delete a report."}, rule.Scope(writeScope), func(p *core.Principal, in input) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			i := slices.Index(reports, in.ID)
			if i < 0 {
				return "", errors.New("no such report")
			}
			reports = slices.Delete(reports, i, i+1)
			return p.ID() + " has deleted report " + in.ID, nil
		}},
	}
}

// byPolicy asks the policy about a tool: its name is the object, and the action is
// "call".
type byPolicy struct {
	policy core.Authorizer
	tool   string
}

func (b byPolicy) Authorize(ctx context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	a.Action, a.Resource = "call", core.Resource{Name: b.tool}
	return b.policy.Authorize(ctx, p, a)
}

// Unwrap shows what the policy can do beside.
func (b byPolicy) Unwrap() core.Authorizer { return b.policy }

// maxMessage is how many bytes a message may have.
const maxMessage = 1 << 20

// ServeHTTP judges a call of a tool before the SDK sees it, so that the answer is
// one of HTTP: 403, or insufficient_scope with the scopes that the tool needs. The
// tools themselves are judged again by serverFor, from what the SDK has read: what
// this reads of a message protects nothing.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		http.Error(w, "the message cannot be read or is too long", http.StatusRequestEntityTooLarge)
		return
	}
	var message struct {
		Method string `json:"method"`
		Params struct {
			Name string `json:"name"`
		} `json:"params"`
	}
	if json.Unmarshal(body, &message) == nil && message.Method == "tools/call" {
		for _, t := range s.tools {
			if t.Name == message.Params.Name && httpauth.Check(w, r, s.guard, byPolicy{s.policy, t.Name}, t.needs) != nil {
				return
			}
		}
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Del("Authorization") // no tool can pass the token on
	s.next.ServeHTTP(w, r)
}

// serverFor is the server for one request: it has the tools that the policy lets
// its principal call, and no others, so that tools/list shows those alone.
func (s *service) serverFor(r *http.Request) *mcp.Server {
	p := httpauth.Principal(r)
	server := mcp.NewServer(&mcp.Implementation{Name: "reports", Version: "v1"}, nil)
	for _, t := range s.tools {
		if !allows(r.Context(), p, byPolicy{s.policy, t.Name}) {
			continue
		}
		mcp.AddTool(server, &t.Tool, func(ctx context.Context, _ *mcp.CallToolRequest, in input) (*mcp.CallToolResult, any, error) {
			if !allows(ctx, p, t.needs) {
				return nil, nil, errors.New("the token is not good for this tool")
			}
			text, err := t.run(p, in)
			if err != nil {
				return nil, nil, err
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
		})
	}
	return server
}

func allows(ctx context.Context, p *core.Principal, rule core.Authorizer) bool {
	if p == nil {
		return false
	}
	d, err := rule.Authorize(ctx, p, core.Access{})
	return err == nil && d.Allowed
}
