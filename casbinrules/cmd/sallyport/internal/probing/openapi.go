package probing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/openapi"
	"github.com/sallyport-go/sallyport/core/probe"
)

// OpenAPI reads the routes of an OpenAPI 3 file. Parameters are filled with their example,
// default or first enumerated value, if any. References are followed within the file's
// folder only, and never over a network. If the first server is only a path, such as "/v1",
// it is prepended. Security requirements in the file do not make a route public.
func OpenAPI(ctx context.Context, file string) ([]probe.Route, error) {
	loader := openapi.NewLoader(ctx, file)
	doc, err := loader.LoadFromFile(filepath.ToSlash(file))
	if err != nil {
		return nil, fmt.Errorf("read OpenAPI: %s: %w", file, err)
	}
	if doc.Paths == nil || doc.Paths.Len() == 0 {
		return nil, fmt.Errorf("read OpenAPI: %s: %w", file, errors.New("there are no paths; it must be OpenAPI 3"))
	}
	var routes []probe.Route
	for _, pattern := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(pattern)
		operations := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			prefix := server(doc.Servers, item.Servers, operations[method].Servers)
			routes = append(routes, probe.Route{
				Method: method, Pattern: prefix + pattern,
				Path: prefix + fillParameters(pattern, item.Parameters, operations[method].Parameters),
			})
		}
	}
	return routes, nil
}

// server returns the path prefix of an operation: that of the first server at the most
// specific level.
func server(document, item openapi3.Servers, operation *openapi3.Servers) string {
	servers := document
	if len(item) > 0 {
		servers = item
	}
	if operation != nil && len(*operation) > 0 {
		servers = *operation
	}
	if len(servers) == 0 || servers[0] == nil {
		return ""
	}
	u, err := url.Parse(servers[0].URL)
	if err != nil || u.Host != "" || strings.Contains(servers[0].URL, "{") {
		return "" // the command line says where the service is
	}
	return strings.TrimSuffix(u.Path, "/")
}

// fillParameters replaces the parameters of a path by examples.
func fillParameters(pattern string, lists ...openapi3.Parameters) string {
	for _, list := range lists {
		for _, ref := range list {
			if ref == nil || ref.Value == nil || ref.Value.In != openapi3.ParameterInPath {
				continue
			}
			if value := example(ref.Value); value != "" {
				pattern = strings.ReplaceAll(pattern, "{"+ref.Value.Name+"}", url.PathEscape(value))
			}
		}
	}
	return probe.SamplePath(pattern, "1")
}

// example returns a value for a parameter, or "".
func example(p *openapi3.Parameter) string {
	values := []any{p.Example}
	for _, e := range p.Examples {
		if e != nil && e.Value != nil {
			values = append(values, e.Value.Value)
		}
	}
	if p.Schema != nil && p.Schema.Value != nil {
		s := p.Schema.Value
		values = append(values, s.Example, s.Default)
		values = append(values, s.Enum...)
		if s.Format == "uuid" {
			values = append(values, "00000000-0000-4000-8000-000000000001")
		}
	}
	for _, v := range values {
		switch v := v.(type) {
		case nil:
		case string:
			if v != "" {
				return v
			}
		default:
			if raw, err := json.Marshal(v); err == nil && !bytes.ContainsAny(raw, "{[") {
				return string(raw)
			}
		}
	}
	return ""
}
