package scenario

func permission() []Scenario {
	const secret = "/files/secret/plan"
	return []Scenario{
		{Name: "valid without the role", Method: "GET", Target: "/admin/reports", As: "victor", Want: forbidden, Body: "forbidden"},
		{Name: "role from the policy", Method: "GET", Target: "/admin/reports", As: "alice", Want: allowed, Body: "/admin/reports alice [admin]"},
		{Name: "role from the token", Method: "GET", Target: "/admin/reports", As: "carol with roles admin, viewer", Want: allowed, Body: "/admin/reports carol [admin viewer]"},
		{Name: "user called like a role", Method: "GET", Target: "/reports", As: "a user called admin", Want: forbidden, Body: "forbidden"},
		{Name: "missing scope", Method: "GET", Target: "/scoped", As: "victor", Want: missingScope, Body: "insufficient_scope"},
		{Name: "with the scope", Method: "GET", Target: "/scoped", As: "erin", Want: allowed, Body: "/scoped erin [editor]"},
		{Name: "missing entitlement", Method: "GET", Target: "/insights", As: "victor", Want: forbidden, Body: "forbidden"},
		{Name: "with the entitlement", Method: "GET", Target: "/insights", As: "pam", Want: allowed, Body: "/insights pam [viewer]"},
		{Name: "the same by password", Method: "GET", Target: "/insights", As: "pam by password", Want: allowed, Body: "/insights pam [viewer]"},
		{Name: "wrong region", Method: "GET", Target: "/regional", As: "erin", Want: forbidden, Body: "forbidden"},
		{Name: "right region", Method: "GET", Target: "/regional", As: "alice", Want: allowed, Body: "/regional alice [admin]"},
		{Name: "suspended account", Method: "POST", Target: "/notes", As: "sam", Want: forbidden, Body: "account_suspended"},
		{Name: "active account", Method: "POST", Target: "/notes", As: "victor", Want: allowed, Body: "/notes victor [viewer]"},
		{Name: "viewer reads", Method: "GET", Target: "/reports/7", As: "victor", Want: allowed, Body: "/reports/:id victor [viewer]"},
		{Name: "viewer creates", Method: "POST", Target: "/reports", As: "victor", Want: forbidden, Body: "forbidden"},
		{Name: "editor creates", Method: "POST", Target: "/reports", As: "erin", Want: allowed, Body: "/reports erin [editor]"},
		{Name: "file, viewer", Method: "GET", Target: "/files/handbook", As: "victor", Want: allowed, Body: "/files/* victor [viewer]"},
		{Name: "secret file, nobody", Method: "GET", Target: secret, Want: signIn, Body: "authentication_required"},
		{Name: "secret file, viewer", Method: "GET", Target: secret, As: "victor", Want: forbidden, Body: "forbidden"},
		{Name: "secret file, editor", Method: "GET", Target: secret, As: "erin", Want: forbidden, Body: "forbidden"},
		{Name: "secret file, admin", Method: "GET", Target: secret, As: "alice", Want: allowed, Body: "/files/* alice [admin]"},
		{Name: "secret file, admin and viewer", Method: "GET", Target: secret, As: "carol with roles admin, viewer", Want: allowed, Body: "/files/* carol [admin viewer]"},
		{Name: "secret file, viewer called admin", Method: "GET", Target: secret, As: "a viewer called admin", Want: forbidden, Body: "forbidden"},
	}
}

// corsPreflight makes an OPTIONS request a CORS preflight.
var corsPreflight = []string{"Origin: https://app.example", "Access-Control-Request-Method: PUT"}

func methods() []Scenario {
	const item = "/reports/7"
	return []Scenario{
		{Name: "PUT, nobody", Method: "PUT", Target: item, Want: signIn, Body: "authentication_required"},
		{Name: "PATCH, nobody", Method: "PATCH", Target: item, Want: signIn, Body: "authentication_required"},
		{Name: "PUT, viewer", Method: "PUT", Target: item, As: "victor", Want: forbidden, Body: "forbidden"},
		{Name: "PATCH, viewer", Method: "PATCH", Target: item, As: "victor", Want: forbidden, Body: "forbidden"},
		{Name: "PUT, editor", Method: "PUT", Target: item, As: "erin", Want: allowed, Body: "/reports/:id erin [editor]"},
		{Name: "PATCH, editor", Method: "PATCH", Target: item, As: "erin", Want: allowed, Body: "/reports/:id erin [editor]"},
		{Name: "DELETE, editor", Method: "DELETE", Target: item, As: "erin", Want: forbidden, Body: "forbidden"},
		{Name: "DELETE, admin", Method: "DELETE", Target: item, As: "alice", Want: allowed, Body: "/reports/:id alice [admin]"},
		{Name: "HEAD, nobody", Method: "HEAD", Target: item, Want: signIn},
		{Name: "HEAD, viewer", Method: "HEAD", Target: item, As: "victor", Want: allowed},
		{Name: "HEAD, viewer, admin list", Method: "HEAD", Target: "/admin/reports", As: "victor", Want: forbidden},
		{Name: "HEAD, viewer, secret file", Method: "HEAD", Target: "/files/secret/plan", As: "victor", Want: forbidden},
		{Name: "preflight", Method: "OPTIONS", Target: item, Fields: corsPreflight, Want: preflight},
		{Name: "preflight, secret file", Method: "OPTIONS", Target: "/files/secret/plan", Fields: corsPreflight, Want: preflight},
		{Name: "OPTIONS, nobody", Method: "OPTIONS", Target: item, Want: signIn, Body: "authentication_required"},
		{Name: "OPTIONS, viewer", Method: "OPTIONS", Target: item, As: "victor", Want: forbidden, Body: "forbidden"},
		{Name: "TRACE, admin", Method: "TRACE", Target: "/files/handbook", As: "alice", Want: forbidden, Body: "forbidden"},
	}
}

// paths are spellings of a secret file and its folder, as a viewer asks for
// them.
func paths() []Scenario {
	as := func(target, want, body string) Scenario {
		return Scenario{Name: target, Method: "GET", Target: target, As: "victor", Want: want, Body: body}
	}
	return []Scenario{
		as("/files/secret", forbidden, "forbidden"),
		as("/files/secret/", forbidden, "forbidden"),
		as("/files/secret/plan/", forbidden, "forbidden"),
		as("/files/secret/plan?/files/handbook", forbidden, "forbidden"),
		as("/files/%73ecret/plan", forbidden, "forbidden"),
		as("/files/SECRET/plan", allowed, "/files/* victor [viewer]"), // another folder
		as("/files/./secret/plan", ambiguousPath, "ambiguous_path"),
		as("/files/x/../secret/plan", ambiguousPath, "ambiguous_path"),
		as("/files/x/%2e%2e/secret/plan", ambiguousPath, "ambiguous_path"),
		as("/files//secret/plan", ambiguousPath, "ambiguous_path"),
		as("/files/secret//", ambiguousPath, "ambiguous_path"),
		as("/files/secret%2Fplan", ambiguousPath, "ambiguous_path"),
		as("/files/secret%5Cplan", ambiguousPath, "ambiguous_path"),
		as("/files/%2573ecret/plan", ambiguousPath, "ambiguous_path"),
		as("/files/secret/plan%00", ambiguousPath, "ambiguous_path"),
		as("/files/secret%ff/plan", ambiguousPath, "ambiguous_path"),
		{Name: "/files//secret/plan, nobody", Method: "GET", Target: "/files//secret/plan", Want: ambiguousPath, Body: "ambiguous_path"},
	}
}

func accountOutage() []Scenario {
	return []Scenario{
		{Name: "active account", Method: "POST", Target: "/notes", As: "victor", Want: temporarilyFailed, Body: "temporarily_unavailable"},
		{Name: "suspended account", Method: "POST", Target: "/notes", As: "sam", Want: temporarilyFailed, Body: "temporarily_unavailable"},
		{Name: "no credentials", Method: "POST", Target: "/notes", Want: signIn, Body: "authentication_required"},
		{Name: "route that does not need it", Method: "GET", Target: "/reports", As: "victor", Want: allowed, Body: "/reports victor [viewer]"},
	}
}
