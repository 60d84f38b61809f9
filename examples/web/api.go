package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// object is an answer in JSON for one person.
func object(v any, more ...core.Field) core.Response {
	return inJSON(http.StatusOK, "application/json", v, more...)
}

// problem is an answer in problem details (RFC 9457), as refusals are.
func problem(status int, detail string) core.Response {
	return inJSON(status, "application/problem+json", map[string]any{
		"title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func inJSON(status int, mediaType string, v any, more ...core.Field) core.Response {
	body, err := json.Marshal(v)
	if err != nil {
		return core.Response{Status: http.StatusInternalServerError, Fields: privateFields}
	}
	return core.Response{
		Status: status,
		Fields: slices.Concat([]core.Field{
			{Name: "Content-Type", Value: mediaType},
			{Name: "X-Content-Type-Options", Value: "nosniff"},
		}, privateFields, more),
		Body: body,
	}
}

// Me tells who is signed in.
func (s *site) Me(ctx context.Context, _ core.Request) core.Response {
	roles := []string{}
	if p, ok := core.PrincipalFrom(ctx); ok {
		roles = slices.Sorted(p.Roles())
	}
	return object(map[string]any{"user": userOf(ctx), "roles": roles})
}

// Summary counts the reports.
func (s *site) Summary(context.Context, core.Request) core.Response {
	return object(s.reports.count())
}

// Reports lists the reports.
func (s *site) Reports(context.Context, core.Request) core.Response {
	return object(map[string]any{"reports": s.reports.all()})
}

// Report is the report that the parameter id of the route names.
func (s *site) Report(_ context.Context, r core.Request) core.Response {
	return found(s.reports.find(r.Param("id")))
}

// Approve approves the report that the parameter id of the route names.
func (s *site) Approve(_ context.Context, r core.Request) core.Response {
	return found(s.reports.approve(r.Param("id")))
}

func found(r report, ok bool) core.Response {
	if !ok {
		return problem(http.StatusNotFound, "There is no such report.")
	}
	return object(r)
}

// Members lists who may use the site.
func (s *site) Members(context.Context, core.Request) core.Response {
	return object(map[string]any{"members": members})
}
