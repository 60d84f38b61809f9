package openapi

import (
	"fmt"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/core"
)

// marker is the member that marks components written by this package, which it may overwrite.
const marker = "x-sallyport"

// Guard describes how an API authenticates and refuses requests.
type Guard struct {
	Schemes []Scheme
	Answers []Answer
}

// Route is a route of the application.
type Route struct {
	core.RouteInfo
	// Public reports that no gate protects the route, and Anonymous that requests without
	// credentials are allowed.
	Public, Anonymous bool
}

// Merge writes the answers of g at the given routes into the document; without routes, at
// the operations that the document has. What the document already states is kept: an
// operation's response for a status, the security of an operation or of the document, and a
// component of the same name. Notes say what was left out.
func (d *Document) Merge(g Guard, routes []Route, public func(method, path string) bool) (notes []string, err error) {
	m := &merge{Document: d, guard: g}
	if err := m.components(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.where(), err)
	}
	if m.paths, err = ensureChild(d.rootObject(), "paths"); err != nil {
		return nil, fmt.Errorf("%s: %w", d.where(), err)
	}
	if err := m.unshare(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.where(), err)
	}
	if len(routes) == 0 {
		routes = m.ownRoutes(public)
	}
	for _, r := range routes {
		if err := m.route(r); err != nil {
			return nil, fmt.Errorf("%s: %s %s: %w", d.where(), r.Method, r.Pattern, err)
		}
	}
	return m.notes, nil
}

func (d *Document) where() string {
	if d.name == "" {
		return "OpenAPI"
	}
	return d.name
}

type merge struct {
	*Document
	guard     Guard
	paths     *yaml.Node
	schemes   []string // component names, in the order of the guard
	responses map[int]string
	notes     []string
}

func (m *merge) note(format string, args ...any) {
	m.notes = distinct.Add(m.notes, fmt.Sprintf(format, args...))
}

// unshare gives each operation its own copy of what it shares with others by aliases or merge
// keys, since changes apply to one operation only: another may be public, or not among the
// routes.
func (m *merge) unshare() error {
	items := merged(m.paths)
	for i := 0; i < len(items); i += 2 {
		if !isObject(items[i+1]) {
			continue
		}
		item, err := ensureChild(m.paths, items[i].Value)
		if err != nil {
			return err
		}
		for _, method := range methods {
			if !isObject(get(item, method)) {
				continue
			}
			op, err := ensureChild(item, method)
			if err != nil {
				return err
			}
			expandMergeKeys(op)
			if !isObject(get(op, "responses")) {
				continue
			}
			responses, err := ensureChild(op, "responses")
			if err != nil {
				return err
			}
			expandMergeKeys(responses)
		}
	}
	return nil
}

func isObject(n *yaml.Node) bool { n = resolveAlias(n); return n != nil && n.Kind == yaml.MappingNode }

func (m *merge) ownRoutes(public func(method, path string) bool) []Route {
	var routes []Route
	items := merged(m.paths)
	for i := 0; i < len(items); i += 2 {
		for _, method := range methods {
			if get(items[i+1], method) != nil {
				r := core.RouteInfo{Method: strings.ToUpper(method), Pattern: items[i].Value}
				routes = append(routes, Route{RouteInfo: r, Public: public(r.Method, m.base()+r.Pattern)})
			}
		}
	}
	return routes
}

func (m *merge) route(r Route) error {
	which := []string{strings.ToLower(r.Method)}
	switch strings.ToUpper(r.Method) {
	case "ANY", "ALL", "*", "USE":
		which = anyMethod
	default:
		if !slices.Contains(methods, which[0]) {
			m.note("%s %s is left out: OpenAPI has no operation for %s", r.Method, r.Pattern, r.Method)
			return nil
		}
	}
	item, names, err := m.pathItem(r.Pattern)
	if err != nil {
		return err
	}
	if get(item, "$ref") != nil {
		m.note("%s is left as it is: it is described in another place, by $ref", r.Pattern)
		return nil
	}
	for _, method := range which {
		isNew := get(item, method) == nil
		op, err := ensureChild(item, method)
		if err != nil {
			return err
		}
		if isNew {
			m.describe(op, names)
		}
		if err := m.operation(op, r); err != nil {
			return err
		}
	}
	return nil
}

// pathItem returns the path item of a pattern, and the names of the pattern's parameters.
func (m *merge) pathItem(pattern string) (*yaml.Node, []string, error) {
	path, names := template(pattern)
	if base := m.base(); base != "" && strings.HasPrefix(path, base+"/") {
		path = strings.TrimPrefix(path, base)
	}
	items := merged(m.paths)
	for i := 0; i < len(items); i += 2 {
		if own := items[i].Value; shape(own) == shape(path) {
			_, names = template(own)
			item, err := ensureChild(m.paths, own)
			return item, names, err
		}
	}
	item, err := ensureChild(m.paths, path)
	return item, names, err
}

// describe fills in an operation that is new to the document.
func (m *merge) describe(op *yaml.Node, names []string) {
	if len(names) > 0 {
		all := list()
		for _, name := range names {
			all.Content = append(all.Content, mapping(
				"name", text(name), "in", text("path"), "required", boolean(true),
				"schema", mapping("type", text("string")),
			))
		}
		setKey(op, "parameters", all)
	}
	setKey(op, "responses", mapping("default", mapping("description", text("What the application answers."))))
}

// operation writes the security and the responses of an operation.
func (m *merge) operation(op *yaml.Node, r Route) error {
	m.security(op, r)
	if r.Public {
		return nil
	}
	responses, err := ensureChild(op, "responses")
	if err != nil {
		return err
	}
	for _, a := range m.guard.Answers {
		status := fmt.Sprint(a.Status)
		if get(responses, status) == nil {
			setKey(responses, status, mapping("$ref", text("#/components/responses/"+m.responses[a.Status])))
		}
	}
	return nil
}

// security writes the schemes of an operation, unless the document has security of its own.
func (m *merge) security(op *yaml.Node, r Route) {
	own, all := get(op, "security"), get(m.rootObject(), "security")
	switch {
	case r.Public && all == nil && own == nil:
		return // without any statement the operation is already public
	case own != nil && !m.isOurs(own), own == nil && all != nil && !r.Public:
		return
	}
	alternatives := list()
	if !r.Public {
		if r.Anonymous {
			alternatives.Content = append(alternatives.Content, mapping())
		}
		for _, name := range m.schemes {
			alternatives.Content = append(alternatives.Content, mapping(name, list()))
		}
	}
	setKey(op, "security", alternatives)
}

// isOurs reports whether the security of an operation refers only to schemes written by this
// package.
func (m *merge) isOurs(security *yaml.Node) bool {
	if security.Kind != yaml.SequenceNode || len(security.Content) == 0 {
		return false
	}
	known := get(get(m.rootObject(), "components"), "securitySchemes")
	for _, alternative := range security.Content {
		names := merged(alternative)
		for i := 0; i < len(names); i += 2 {
			if get(get(known, names[i].Value), marker) == nil {
				return false
			}
		}
	}
	return true
}

// component adds a component to the document and returns its name. That is name, or another
// one if the document has its own component there.
func (m *merge) component(section, name string, value *yaml.Node) (string, error) {
	components, err := ensureChild(m.rootObject(), "components")
	if err != nil {
		return "", err
	}
	all, err := ensureChild(components, section)
	if err != nil {
		return "", err
	}
	if own := get(all, name); own != nil && get(own, marker) == nil {
		name = "sallyport_" + name
	}
	setKey(value, marker, boolean(true))
	setKey(all, name, value)
	return name, nil
}
