package casbinrules

import (
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// reports is the policy of the example service.
const reports = `# roles
p, admin,  /*,             *,     allow
p, editor, /reports,       GET,   allow
p, editor, /reports,       POST,  allow
p, editor, /reports/:id,   PUT,   allow
p, editor, /files/*,       GET,   allow
p, viewer, /reports,       GET,   allow
p, viewer, /files/*,       GET,   allow
# secrets
p, editor, /files/secret,   *,    deny
p, editor, /files/secret/*, *,    deny
p, viewer, /files/secret,   *,    deny
p, viewer, /files/secret/*, *,    deny
# people
g, alice, admin
g, erin, editor
g, victor, viewer
`

func TestDecisionsOfAnRBACPolicyWithDeny(t *testing.T) {
	a := open(t, RBACWithDeny(), reports)
	for _, c := range []struct {
		name   string
		who    *core.Principal
		to     core.Access
		want   bool
		reason core.Reason
		rule   string
	}{
		{"by role link", who(t, "erin"), to("POST", "/reports"), true, core.ReasonAllowed, "policy.csv:4"},
		{"by token role", who(t, "t-1", "editor"), to("POST", "/reports"), true, core.ReasonAllowed, "policy.csv:4"},
		{"no rule for PATCH", who(t, "erin"), to("PATCH", "/reports/7"), false, ReasonNoRule, ""},
		{"H01 unknown subject", who(t, "mallory"), to("GET", "/reports"), false, ReasonNoRule, ""},
		{"H02 deny wins", who(t, "erin"), to("GET", "/files/secret/a"), false, ReasonDeniedByRule, "policy.csv:11"},
		{"H02 deny by token role wins over allow by ID", who(t, "alice", "viewer"), to("GET", "/files/secret/a"), false, ReasonDeniedByRule, "policy.csv:13"},
		{"H02 deny by ID wins over allow by token role", who(t, "erin", "admin"), to("GET", "/files/secret/a"), false, ReasonDeniedByRule, "policy.csv:11"},
		{"admin is not denied", who(t, "alice"), to("GET", "/files/secret/a"), true, core.ReasonAllowed, "policy.csv:2"},
		{"letter case of a role", who(t, "t-1", "Editor"), to("POST", "/reports"), false, ReasonNoRule, ""},
		{"H14 ID that is a role name", who(t, "admin"), to("GET", "/reports"), false, ReasonSubjectIsRoleName, ""},
		{"H14 ID that is a role name, with a token role", who(t, "admin", "viewer"), to("GET", "/reports"), true, core.ReasonAllowed, "policy.csv:7"},
		{"G14 HEAD as GET", who(t, "victor"), to("HEAD", "/reports"), true, core.ReasonAllowed, "policy.csv:7"},
		{"G14 unusual method under *", who(t, "alice"), to("PROPFIND", "/reports"), false, core.ReasonUnknownMethod, ""},
		{"G14 lower case method under *", who(t, "alice"), to("get", "/reports"), false, core.ReasonUnknownMethod, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decide(t, a, c.who, c.to)
			if d.Allowed != c.want || d.Reason != c.reason || d.Rule != c.rule {
				t.Errorf("got %+v, want allowed=%v reason=%s rule=%q", d, c.want, c.reason, c.rule)
			}
		})
	}
}
