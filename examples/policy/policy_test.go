package policy_test

import (
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/examples/policy"
)

// TestUsers opens the password file with the limits of production.
func TestUsers(t *testing.T) {
	f, err := policy.Files.Open(policy.Users)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	users, err := htpasswd.Parse(policy.Users, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "erin", "victor", "sam", "pam"} {
		p, err := users.VerifyPassword(t.Context(), name, name+"-pass")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if p.ID() != name {
			t.Errorf("%s: signed in as %s", name, p.ID())
		}
	}
}

// TestDigestUsers holds the Digest file against the same passwords.
func TestDigestUsers(t *testing.T) {
	const realm = "reports"
	text, err := policy.Files.ReadFile(policy.Digest)
	if err != nil {
		t.Fatal(err)
	}
	users, err := digest.NewFile(realm)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.Load(policy.Digest, text); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "erin", "victor", "sam", "pam"} {
		want, err := digest.HashA1(digest.SHA256, name, realm, name+"-pass")
		if err != nil {
			t.Fatal(err)
		}
		if e, err := users.FindUser(t.Context(), realm, name, digest.SHA256); err != nil || e.A1 != want || e.Principal.ID() != name {
			t.Errorf("%s: another password, or %v", name, err)
		}
	}
}

// open opens the policy as the servers do, with old replaced by new in it.
func open(t *testing.T, old, new string) *casbinrules.Authorizer {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, name := range []string{policy.Model, policy.Rules} {
		text, err := fs.ReadFile(policy.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		if name == policy.Rules {
			if !strings.Contains(string(text), old) {
				t.Fatalf("%s has no %q", name, old)
			}
			text = []byte(strings.Replace(string(text), old, new, 1))
		}
		fsys[name] = &fstest.MapFile{Data: text}
	}
	rules, err := casbinrules.OpenFS(fsys, casbinrules.ModelFile(policy.Model), []string{policy.Rules}, casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestPolicyHasNoWarnings(t *testing.T) {
	for _, w := range open(t, "", "").Warnings() {
		t.Error(w)
	}
}

// TestSlipsAreFound makes the mistakes in the policy that are easily made.
func TestSlipsAreFound(t *testing.T) {
	for _, c := range []struct{ old, new, code string }{
		{"g, victor, viewer", "g, victor, veiwer", "role_without_rules"},
		{"p, viewer, /reports/:id,", "p, viewer, /reports/[:id,", "regexp_character"},
		{"p, editor, /reports/:id,    PATCH, allow", "p, editor, /drafts/:id,     PATCH, allow", "put_without_patch patch_without_put"},
		{"p, viewer, /files,          GET,   allow\n", "", "star_misses_parent"},
	} {
		var codes []string
		for _, w := range open(t, c.old, c.new).Warnings() {
			if w.Severity != casbinrules.SeverityWarning || w.File != policy.Rules {
				t.Errorf("%q for %q: got %s", c.new, c.old, w)
			}
			codes = append(codes, w.Code)
		}
		if got := strings.Join(codes, " "); got != c.code {
			t.Errorf("%q for %q: got %q, want %s", c.new, c.old, got, c.code)
		}
	}
}

// TestRules holds the policy file against what it says it does.
func TestRules(t *testing.T) {
	rules := open(t, "", "")
	for _, c := range []struct {
		who, roles string // roles of the token, in one word each
		action     string
		paths      []string
		allowed    bool
	}{
		{"alice", "", "DELETE", []string{"/", "/reports/7", "/files/secret", "/files/secret/a/b", "/elsewhere"}, true},
		{"alice", "viewer", "GET", []string{"/files/secret", "/files/secret/a"}, true},
		{"carol", "admin", "GET", []string{"/files/secret", "/files/secret/a"}, true},
		{"erin", "", "GET", []string{"/reports", "/reports/7", "/files", "/files/a", "/files/a/b"}, true},
		{"erin", "", "HEAD", []string{"/reports", "/reports/7", "/files/a"}, true},
		{"erin", "", "POST", []string{"/reports"}, true},
		{"erin", "", "PUT", []string{"/reports/7"}, true},
		{"erin", "", "PATCH", []string{"/reports/7"}, true},
		{"erin", "", "DELETE", []string{"/reports", "/reports/7", "/files/a"}, false},
		{"erin", "", "PUT", []string{"/files", "/files/a"}, false},
		{"erin", "", "GET", []string{"/files/secret", "/files/secret/a", "/reports/7/drafts", "/elsewhere", "/"}, false},
		{"victor", "", "GET", []string{"/reports", "/reports/7", "/files", "/files/a", "/files/secrets"}, true},
		{"victor", "", "GET", []string{"/files/secret", "/files/secret/a", "/files/secret/a/b"}, false},
		{"victor", "", "POST", []string{"/reports"}, false},
		{"victor", "", "PUT", []string{"/reports/7"}, false},
		{"victor", "", "PATCH", []string{"/reports/7"}, false},
		{"victor", "editor", "PATCH", []string{"/reports/7"}, true},
		{"victor", "editor", "GET", []string{"/files/secret", "/files/secret/a"}, false},
		{"sam", "", "GET", []string{"/reports", "/files/a"}, true},
		{"pam", "", "GET", []string{"/reports", "/files/a"}, true},
		{"carol", "", "GET", []string{"/reports", "/files/a"}, false},
		{"*", "", "GET", []string{"/reports", "/files/a", "/files/secret"}, false},
		{"admin", "", "GET", []string{"/reports"}, false},
		{"admin", "viewer", "GET", []string{"/files/secret", "/files/secret/a"}, false},
		{"alice", "", "PROPFIND", []string{"/reports"}, false},
	} {
		info := core.PrincipalInfo{ID: c.who}
		if c.roles != "" {
			info.Roles = []string{c.roles}
		}
		p, err := core.NewPrincipal(info)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range c.paths {
			d, err := rules.Authorize(t.Context(), p, core.Access{Action: c.action, Resource: core.Resource{Path: path}})
			if err != nil {
				t.Fatal(err)
			}
			if d.Allowed != c.allowed {
				t.Errorf("%s (token role %q) %s %s: allowed %t by %q", c.who, c.roles, c.action, path, d.Allowed, d.Rule)
			}
		}
	}
}
