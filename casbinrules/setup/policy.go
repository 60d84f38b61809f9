package setup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// readyModels are the built-in models, by their names in the command sallyport.
var readyModels = map[string]func() casbinrules.Model{
	"rbac":         casbinrules.RBAC,
	"rbac-deny":    casbinrules.RBACWithDeny,
	"rbac-tenants": casbinrules.RBACWithTenants,

	"rbac-tenants-patterns": casbinrules.RBACWithTenantPatterns,
}

// openPolicy opens the policy.
func (a *assembly) openPolicy() error {
	c := a.config.Policy
	if err := a.checkPolicy(c); err != nil {
		return err
	}
	model, err := a.model(c)
	if err != nil {
		return err
	}
	opts, err := a.policyOptions(c)
	if err != nil {
		return err
	}
	opts = slices.Concat(opts, a.policyReloads(), a.settings.policy)
	var policy *casbinrules.Authorizer
	if c.Store.Settings != nil {
		policy, err = a.openShared(c, model, opts)
	} else {
		files := make([]string, len(c.Files))
		for i, f := range c.Files {
			files[i] = string(f)
		}
		policy, err = casbinrules.Open(model, files, opts...)
	}
	if err != nil {
		return a.doc.Wrap(err, &a.config.Policy)
	}
	if a.instrument != nil {
		if err := a.instrument.AddPolicy(a.config.Realm, policy); err != nil {
			return errors.Join(a.doc.Wrap(err, &a.config.Policy), policy.Close())
		}
	}
	v := policy.Version() // which the lines of requests name by its revision
	a.log.Info("policy loaded", "outcome", "loaded", "revision", v.Revision, "rules", v.Rules, "role_links", v.RoleLinks)
	a.made.policy = policy
	a.made.reloads = append(a.made.reloads, policy.Reload)
	a.closes(policy.Close)
	return nil
}

// policyOptions returns the options of a policy that the file sets.
func (a *assembly) policyOptions(c *policyConfig) ([]casbinrules.Option, error) {
	opts := options[casbinrules.Option]{casbinrules.WithLogger(a.log)}
	opts.on(a.config.Watch && c.Store.Settings == nil, func() casbinrules.Option { return casbinrules.WithFileWatch() })
	opts.on(a.made.names != nil, func() casbinrules.Option { return casbinrules.WithPseudonyms(a.made.names) })
	opts.on(c.Anonymous, casbinrules.WithAnonymous)
	opts.on(c.Empty, casbinrules.WithEmptyPolicy)
	opts.on(!c.TokenRoles, casbinrules.WithoutTokenRoles)
	opts.text(c.Prefix, casbinrules.WithRolePrefix)
	opts.text(c.Default, casbinrules.WithDefaultRole)
	opts.on(c.Route, casbinrules.WithRouteAsObject)
	opts.on(c.AsCasbin, casbinrules.WithCasbinSemantics)
	opts.pairs(c.Attributes, casbinrules.WithClaimAttribute)
	for _, field := range c.ObjectAttributes {
		if c.ObjectsAtGates {
			opts = append(opts, casbinrules.WithObjectAttributeOr(field, ""))
		} else {
			opts = append(opts, casbinrules.WithObjectAttribute(field))
		}
	}
	for field, name := range c.Types {
		_, t, err := casbinrules.ParseAttribute(field + "=" + name)
		if err != nil {
			return nil, a.doc.Wrap(err, &c.Types)
		}
		opts = append(opts, casbinrules.WithAttributeType(field, t))
	}
	opts.pairs(c.Functions, casbinrules.WithFunctionAlias)
	opts.pairs(c.RolePatterns, casbinrules.WithRolePatterns)
	for _, kind := range c.TenantPatterns {
		opts = append(opts, casbinrules.WithTenantPatterns(kind))
	}
	return opts, nil
}

// model returns a built-in model, or that of a file.
func (a *assembly) model(c *policyConfig) (casbinrules.Model, error) {
	if ready := readyModels[c.Model]; ready != nil {
		return ready(), nil
	}
	if c.Store.Settings != nil {
		return casbinrules.ModelFile(c.Model), nil // a file in the store
	}
	path := a.path(c.Model)
	switch _, err := os.Stat(path); {
	case strings.Contains(c.Model, "://"):
		return casbinrules.Model{}, a.doc.Wrap(errors.New("a URL where the path of a model file is expected"), &c.Model)
	case errors.Is(err, os.ErrNotExist):
		return casbinrules.Model{}, a.doc.Wrap(fmt.Errorf("there is neither a file %s nor a built-in model of that name: those are rbac, rbac-deny, rbac-tenants and rbac-tenants-patterns (sallyport init writes a model)", path), &c.Model)
	}
	return casbinrules.ModelFile(path), nil
}
