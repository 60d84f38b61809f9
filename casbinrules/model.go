package casbinrules

import (
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
)

// Model says where a Casbin model comes from. The zero Model is refused.
type Model struct{ of source.Model }

// ModelFile returns the model in a file: of the operating system for [Open], or
// inside the file system for [OpenFS].
func ModelFile(path string) Model { return Model{source.Model{Name: path, File: true}} }

// ModelText returns a model with this text; name is its file name in findings.
func ModelText(name, text string) Model { return Model{source.Model{Name: name, Text: text}} }

// RBAC returns the built-in model of roles with path patterns. Policy lines are
//
//	p, SUBJECT, PATH, METHOD
//	g, USER, ROLE
//
// where PATH is a keyMatch2 pattern and METHOD may be "*".
func RBAC() Model { return ready("rbac.conf") }

// RBACWithDeny is [RBAC] with p lines that end in allow or deny. A single matching
// deny refuses, whatever else allows.
func RBACWithDeny() Model { return ready("rbac_deny.conf") }

// RBACWithTenants is [RBAC] within tenants: SUBJECT is followed by TENANT in p
// lines, and g lines end in one. The tenant of a request is the principal's.
func RBACWithTenants() Model { return ready("rbac_tenants.conf") }

// RBACWithTenantPatterns is [RBACWithTenants] where TENANT, in p and g lines, may be
// a keyMatch pattern: "*" is every tenant, "eu-*" every one that begins with eu-.
func RBACWithTenantPatterns() Model { return ready("rbac_tenants_patterns.conf") }

func ready(name string) Model {
	return ModelText(name, model.Preset(name))
}

// Name returns the path of the file, or the name given to [ModelText].
func (m Model) Name() string { return m.of.Name }

// Text returns the text of the model, which is "" for [ModelFile].
func (m Model) Text() string { return m.of.Text }

// RequestFields returns the names in the request definition of m, in its order, such
// as "sub", "obj", "act": none if the model has no such definition. It is an error
// if the file of m cannot be read.
func (m Model) RequestFields() ([]string, error) {
	read, err := m.of.Read(source.Host{})
	if err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	f := model.ReadFile(read.Name, read.Text, &model.Settings{Casbin: casbinv2.Casbin})
	if f.Casbin == nil {
		return nil, nil
	}
	return (&model.Schema{File: f}).Names("r"), nil
}
