package explain

import (
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// why returns the reason of a verdict in words.
func (x *Explainer) why(v engine.Verdict) string {
	switch {
	case v.Rules != nil && v.Allowed:
		return model.Visible(v.Rule().Place()) + " allows it"
	case v.Rules != nil:
		return model.Visible(v.Rule().Place()) + " denies it"
	case v.Allowed:
		return "the matcher allows it whatever the rules say"
	}
	switch v.Reason {
	case engine.ReasonSubjectIsRoleName:
		if x.Subject == policy.Anonymous {
			return `no rule allows it; "anonymous" stands for requests without credentials, and grants nothing to a user with that ID`
		}
		return fmt.Sprintf("no rule allows it; %q is the name of a role, and a user with that ID does not have the permissions of the role", model.Visible(x.Subject))
	case engine.ReasonNoTenant:
		return "the model has tenants, and the credentials name none"
	case engine.ReasonNoObject:
		return "there is nothing to compare with the policy: the request has no object, or matched no route"
	case engine.ReasonNoAttribute, engine.ReasonBadAttribute:
		return model.Visible(x.Request.AttributeErr.Error())
	case core.ReasonUnknownMethod:
		return fmt.Sprintf(`no rule names the method %s, and "*" stands only for GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS`, model.Visible(x.Request.Action))
	case core.ReasonNoCredentials:
		return "there are no credentials, and the policy is not asked about such requests (see WithAnonymous, --allow-anonymous, anonymous: true)"
	default:
		return "no rule allows it"
	}
}

// String returns the explanation in a few lines, without a line feed at the end:
//
//	erin may not PATCH /reports/7: no rule allows it
//	  near: erin has PUT on /reports/:id at policy.csv:12, not PATCH
func (e Explanation) String() string {
	var b strings.Builder
	may := "may not"
	if e.Allowed {
		may = "may"
	}
	b.WriteString(shownName(e.Subject))
	if len(e.Roles) > 0 {
		b.WriteString(" (" + strings.Join(e.Roles, ", ") + ")")
	}
	if e.Tenant != "" {
		b.WriteString(" in tenant " + e.Tenant)
	}
	object := e.Object
	if object == "" {
		object = "(no object)"
	}
	fmt.Fprintf(&b, " %s %s %s: %s", may, e.Action, object, e.Why)
	if e.Rule != nil {
		b.WriteString("\n  rule: " + e.Rule.String())
	}
	for i, chain := range [][]ChainLink{e.Chain, e.ObjectChain, e.ActionChain} {
		if len(chain) > 0 {
			b.WriteString("\n  " + []string{"roles", "object", "action"}[i] + ": " + chainText(chain))
		}
	}
	if e.Overrides != nil {
		b.WriteString("\n  overrides: " + e.Overrides.String())
	}
	for _, m := range e.NearMisses {
		b.WriteString("\n  near: " + m.Text)
	}
	for _, note := range e.Notes {
		b.WriteString("\n  note: " + note)
	}
	return b.String()
}

// shownName returns a name for a text: in quotes if it has blanks around it, which nobody
// would see.
func shownName(name string) string {
	if strings.TrimSpace(name) != name {
		return `"` + name + `"`
	}
	return name
}

// chainText returns a text such as "erin → editor (policy.csv:21) → viewer
// (policy.csv:9)".
func chainText(chain []ChainLink) string {
	var b strings.Builder
	b.WriteString(shownName(chain[0].From))
	for _, link := range chain {
		place := "from the credentials"
		if link.Default {
			place = "the default role"
		} else if link.Rule != nil {
			place = model.Visible(link.Rule.Place())
		}
		fmt.Fprintf(&b, " → %s (%s)", shownName(link.To), place)
	}
	return b.String()
}
