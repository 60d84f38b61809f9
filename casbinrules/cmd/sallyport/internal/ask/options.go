package ask

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// Options say how to read a policy, like the flags with these names. Their JSON keys
// are those of an editor's settings.
type Options struct {
	AsCasbin          bool   `json:"asCasbin,omitempty"`
	AllowAnonymous    bool   `json:"allowAnonymous,omitempty"`
	AllowEmpty        bool   `json:"allowEmpty,omitempty"`
	WithoutTokenRoles bool   `json:"withoutTokenRoles,omitempty"`
	ObjectRoute       bool   `json:"objectRoute,omitempty"`
	EncodedSlashes    bool   `json:"encodedSlashes,omitempty"`
	RolePrefix        string `json:"rolePrefix,omitempty"`
	DefaultRole       string `json:"defaultRole,omitempty"`
	// Attribute has types such as "age=number", Function names such as
	// "overlap=keyMatch", RolePatterns values such as "g=keyMatch", and TenantPatterns
	// kinds of role links.
	Attribute      []string `json:"attribute,omitempty"`
	Function       []string `json:"function,omitempty"`
	RolePatterns   []string `json:"rolePatterns,omitempty"`
	TenantPatterns []string `json:"tenantPatterns,omitempty"`
}

// Library returns the options for the library, which then logs nothing.
func (o *Options) Library() ([]casbinrules.Option, error) {
	opts := []casbinrules.Option{casbinrules.WithLogger(slog.New(slog.DiscardHandler)), casbinrules.WithClaimsAsAttributes()}
	for _, flag := range []struct {
		set    bool
		option func() casbinrules.Option
	}{
		{o.AsCasbin, casbinrules.WithCasbinSemantics},
		{o.AllowAnonymous, casbinrules.WithAnonymous},
		{o.AllowEmpty, casbinrules.WithEmptyPolicy},
		{o.WithoutTokenRoles, casbinrules.WithoutTokenRoles},
		{o.ObjectRoute, casbinrules.WithRouteAsObject},
		{o.RolePrefix != "", func() casbinrules.Option { return casbinrules.WithRolePrefix(o.RolePrefix) }},
		{o.DefaultRole != "", func() casbinrules.Option { return casbinrules.WithDefaultRole(o.DefaultRole) }},
	} {
		if flag.set {
			opts = append(opts, flag.option())
		}
	}
	for _, attribute := range o.Attribute {
		field, kind, err := casbinrules.ParseAttribute(attribute)
		if err != nil {
			return nil, err
		}
		opts = append(opts, casbinrules.WithAttributeType(field, kind))
	}
	for _, function := range o.Function {
		name, builtin, ok := strings.Cut(function, "=")
		if !ok {
			return nil, fmt.Errorf("--function %s: write NAME=BUILTIN, such as globOrRegexMatch=globMatch", function)
		}
		opts = append(opts, casbinrules.WithFunctionAlias(name, builtin))
	}
	for _, patterns := range o.RolePatterns {
		kind, function, ok := strings.Cut(patterns, "=")
		if !ok {
			return nil, fmt.Errorf("--role-patterns %s: write KIND=FUNCTION, such as g=keyMatch", patterns)
		}
		opts = append(opts, casbinrules.WithRolePatterns(kind, function))
	}
	for _, kind := range o.TenantPatterns {
		opts = append(opts, casbinrules.WithTenantPatterns(kind))
	}
	return opts, nil
}

// AddAttribute adds the type of an attribute, such as "age=number".
func (o *Options) AddAttribute(value string) error {
	field, _, err := casbinrules.ParseAttribute(value)
	if err != nil {
		return err
	}
	if _, twice := o.Types()[field]; twice {
		return fmt.Errorf("attribute %s: the type is declared twice", field)
	}
	o.Attribute = append(slices.Clip(o.Attribute), value)
	return nil
}

// Types returns the types of attributes by field.
func (o *Options) Types() map[string]casbinrules.AttributeType {
	types := map[string]casbinrules.AttributeType{}
	for _, a := range o.Attribute {
		if field, kind, err := casbinrules.ParseAttribute(a); err == nil { // else Library reports it
			types[field] = kind
		}
	}
	return types
}

// LintOptions returns options of a policy as those of lint.
func LintOptions(opts []casbinrules.Option) []casbinrules.LintOption {
	lint := make([]casbinrules.LintOption, len(opts))
	for i, o := range opts {
		lint[i] = o
	}
	return lint
}
