package playground

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/lsp"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

// maxFindings is the maximum number of findings sent to the page.
const maxFindings = 500

// Preset is an example that the page offers to start with.
type Preset struct {
	Name  string            `json:"name"`
	Title string            `json:"title"`
	Files map[string]string `json:"files"`
	// Request is a request that the policy has a rule about.
	Request Request `json:"request"`
}

func presets() ([]Preset, error) {
	made := []Preset{
		{Name: "rbac", Title: "Roles"}, {Name: "rbac-deny", Title: "Roles, and lines that deny"},
		{Name: "rbac-tenants", Title: "Roles in tenants"}, {Name: "rbac-tenants-patterns", Title: "Roles in tenants with patterns"},
	}
	for i := range made {
		files, err := starter.Files(made[i].Name)
		if err != nil {
			return nil, err
		}
		made[i].Files = map[string]string{RoutesFile: ""}
		for _, f := range files {
			made[i].Files[f.Name] = f.Text
		}
		made[i].Request = Request{Subject: "erin", Object: "/reports/7", Action: "PATCH"}
		made[i].Request.Tenant = map[string]string{"rbac-tenants": "acme", "rbac-tenants-patterns": "eu-acme"}[made[i].Name]
	}
	return made, nil
}

// Finding is a finding as the page shows it.
type Finding struct {
	File string `json:"file"`
	// Line counts from 1; Character counts UTF-16 code units from 0, as in JavaScript
	// strings.
	Line      int    `json:"line"`
	Character int    `json:"character"`
	Severity  string `json:"severity"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Hint      string `json:"hint"`
	// Fix is the quick fix, nil if there is none.
	Fix *lsp.Fix `json:"fix,omitempty"`
}

// Feedback is the feedback while the user types.
type Feedback struct {
	Findings []Finding `json:"findings"`
	// More is the number of findings left out.
	More int `json:"more"`
	// Fields are those of the model's request definition. Attributes are the ones among
	// them that hold claims, and Tenants reports whether there are tenants.
	Fields     []string `json:"fields"`
	Attributes []string `json:"attributes"`
	Tenants    bool     `json:"tenants"`
	// Loads reports whether the policy loads. The fields below are empty otherwise.
	Loads bool  `json:"loads"`
	Names Names `json:"names"`
	// Explanation explains the decision about the request, and Text is the same in words;
	// Error says why there is none.
	Explanation *casbinrules.Explanation `json:"explanation,omitempty"`
	Text        string                   `json:"text"`
	Error       string                   `json:"error"`
	// Notes are remarks about the request, such as a name that the policy does not know.
	Notes []string `json:"notes"`
}

// Names are names in the policy, proposed as the user types.
type Names struct {
	Subjects []string `json:"subjects"`
	Roles    []string `json:"roles"`
	Tenants  []string `json:"tenants"`
	Objects  []string `json:"objects"`
	Actions  []string `json:"actions"`
}

func (l *loaded) look(ctx context.Context, in *Input) *Feedback {
	made := &Feedback{
		Findings: []Finding{}, Notes: []string{}, Fields: slices.Clip(l.fields), Attributes: ask.Attributes(l.fields),
		Tenants: slices.ContainsFunc(l.fields, ask.IsTenant), Loads: l.authorizer != nil,
	}
	made.Findings, made.More = pageFindings(l.findings, in.Files, in.policy())
	if l.authorizer == nil {
		return made
	}
	known := ask.NewNames(l.authorizer)
	made.Names = l.names(known.Rules())
	q, err := made.question(known, in)
	if err != nil {
		made.Error = err.Error()
		return made
	}
	e, err := ask.Explain(ctx, l.authorizer, q)
	if err != nil {
		made.Error = strings.TrimPrefix(err.Error(), "casbinrules: ")
		return made
	}
	made.Explanation, made.Text = &e, e.String()
	return made
}

// question returns the question that the request asks, with object and action in the
// intended order.
func (made *Feedback) question(names *ask.Names, in *Input) (ask.Question, error) {
	q := ask.Question{Subject: in.Request.Subject, Roles: in.Request.Roles, Tenant: in.Request.Tenant, Object: in.Request.Object, Action: in.Request.Action}
	for name, value := range in.Request.Attributes {
		if value != "" && slices.Contains(made.Attributes, name) {
			if q.Attributes == nil {
				q.Attributes = map[string]any{}
			}
			q.Attributes[name] = value
		}
	}
	switch {
	case q.Subject == "":
		return q, errors.New("name a subject: the ID of somebody who is signed in, or anonymous for a request without credentials")
	case q.Object == "" || q.Action == "":
		return q, errors.New("name an object, such as a path, and an action, such as a method")
	}
	if !made.Tenants {
		q.Tenant = ""
	}
	q, hint, err := names.Orient(q)
	if err != nil {
		return q, err
	}
	q, note, err := in.canonical(q)
	if err != nil {
		return q, err
	}
	for _, text := range []string{hint, note} {
		if text != "" {
			made.Notes = append(made.Notes, text)
		}
	}
	made.Notes = append(made.Notes, names.Misfits(q, false)...)
	for _, p := range names.Unknown(q, false) {
		made.Notes = append(made.Notes, p.Text)
	}
	return q, nil
}

// names returns the names that rules use, in order of appearance.
func (l *loaded) names(rules []casbinrules.Rule) Names {
	n := Names{Tenants: ask.Tenants(rules), Roles: l.authorizer.KnownRoles()}
	type named struct{ kind, name string }
	seen := map[named]bool{}
	add := func(list *[]string, kind, name string) {
		if len(*list) < maxNames && !seen[named{kind, name}] {
			seen[named{kind, name}] = true
			*list = append(*list, name)
		}
	}
	for _, r := range rules {
		if r.Links == "sub" {
			add(&n.Subjects, "s", r.Fields[0])
		}
		for _, p := range r.Subjects {
			add(&n.Subjects, "s", p.Text)
		}
		for _, p := range r.Objects {
			add(&n.Objects, "o", p.Text)
		}
		for _, p := range r.Actions {
			add(&n.Actions, "a", p.Text)
		}
	}
	for _, list := range []*[]string{&n.Roles, &n.Tenants} {
		*list = (*list)[:min(len(*list), maxNames)]
	}
	return n
}

// maxNames is the maximum number of names proposed per kind.
const maxNames = 200

// pageFindings converts findings for the page, and returns how many were left out.
func pageFindings(findings []casbinrules.Finding, files, policy map[string]string) (list []Finding, more int) {
	kept := findings[:min(len(findings), maxFindings)]
	lines := map[string][]string{}
	list = make([]Finding, len(kept))
	fixes := lsp.Fixes(casbinrules.ModelText(ModelFile, files[ModelFile]), policy, kept)
	for i, f := range kept {
		if lines[f.File] == nil {
			lines[f.File] = strings.Split(files[f.File], "\n")
		}
		list[i] = Finding{
			File: f.File, Line: f.Line, Severity: f.Severity.String(), Code: f.Code, Message: f.Message, Hint: f.Hint, Fix: fixes[i],
		}
		if n := f.Line - 1; 0 <= n && n < len(lines[f.File]) {
			list[i].Character = utf16Length(lines[f.File][n], f.Column-1)
		}
	}
	return list, len(findings) - len(kept)
}

// utf16Length returns the length of the first bytes of a line in UTF-16 code units.
func utf16Length(line string, bytes int) int {
	n := 0
	for i, c := range line {
		if i >= bytes {
			break
		}
		n++
		if c > 0xffff {
			n++
		}
	}
	return n
}
