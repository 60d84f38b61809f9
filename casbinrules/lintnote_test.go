package casbinrules

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core"
)

// severitiesOf returns the findings of Lint for a policy, as "line code severity".
func severitiesOf(t *testing.T, m Model, policy string, opts ...LintOption) []string {
	t.Helper()
	found, err := LintFS(files("p.csv", policy), m, []string{"p.csv"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Code, f.Severity))
	}
	return got
}

func TestActionsOfTheApplicationAreNoMethods(t *testing.T) {
	lines := func(actions ...string) (policy string) {
		for i, action := range actions {
			policy += fmt.Sprintf("p, ann, /a/%d, %s\n", i, action)
		}
		return policy
	}
	regexp := exampleModels()["regexp"]
	for _, c := range []struct {
		name, policy string
		model        Model
		want         []string
	}{
		{"CRUD", lines("create", "read", "update", "delete"), RBAC(), nil},
		{"CRUD in another letter case", lines("Create", "Read", "Update", "Delete"), RBAC(), nil},
		{"verbs of resources", lines("get", "list", "watch", "patch", "delete"), RBAC(), nil},
		{"all in lower case", lines("get", "post"), RBAC(), nil},
		{"CRUD beside everything", lines("update", "*"), RBAC(), nil},
		{"CRUD in patterns", lines("^(create|update)$", "^(read)$"), regexp, nil},
		{"beside a method", lines("GET", "update"), RBAC(), []string{"2 method_case error"}},
		{"beside a method, before it", lines("delete", "GET"), RBAC(), []string{"1 method_case error"}},
		{"beside a method and a verb", lines("GET", "read", "update"), RBAC(), []string{"3 method_case error"}},
		{"methods in another letter case", lines("Get", "Post"), RBAC(), []string{"1 method_case error", "2 method_case error"}},
		{"beside a method in patterns", lines("^(GET|post)$"), regexp, []string{"1 method_case error"}},
		{"exchanged with objects", "p, ann, GET, /a\np, ann, /a, /b\np, ann, GET, b\np, ann, reports, /a\n", RBAC(), []string{"1 unknown_method warning"}},
		{"beside a method for a name", "p, ann, billing, GET\n" + lines("put"), RBAC(), []string{"2 method_case error"}},
	} {
		if got := severitiesOf(t, c.model, c.policy); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	// Every file has a vocabulary of its own, whatever the files before it contain.
	for _, order := range [][]string{{"crud.csv", "http.csv"}, {"http.csv", "crud.csv"}} {
		fsys := files("crud.csv", lines("read", "delete"), "http.csv", "p, bob, /b, GET\np, bob, /b, delete\n")
		found, err := LintFS(fsys, RBAC(), order)
		if err != nil || len(found) != 1 || found[0].File != "http.csv" || found[0].Code != model.CodeMethodCase {
			t.Errorf("%q: got %v, %v", order, found, err)
		}
	}
}

// H15: a pattern without anchors is a warning, except for lists of whole methods.
func TestListsOfMethodsAreButANote(t *testing.T) {
	for _, c := range []struct{ action, severity string }{
		{"GET", "note"}, {"GET|POST", "note"}, {"(GET)|(POST)", "note"}, {"(GET|POST|PUT|PATCH|DELETE)", "note"},
		{"(?:PUT|PATCH)", "note"}, {"P(OST|UT)", "note"}, {"GET|HEAD|OPTIONS|PROPFIND", "note"},
		{"^GET|POST$", "warning"}, {"^GET", "warning"}, {"GET|POS", "warning"}, {"GET|", "warning"}, {"GET|P.*", "warning"},
		{"(?i)GET", "warning"}, {"read|write", "warning"}, {"(GET|PO)ST", "warning"}, {"GETS?", "warning"}, {"[A-Z]+", "warning"},
		{"^(GET|POST)$", ""}, {".*", ""},
	} {
		var want []string
		if c.severity != "" {
			want = []string{"1 unanchored_regexp " + c.severity}
		}
		got := severitiesOf(t, exampleModels()["regexp"], "p, ann, /a, "+c.action+"\n")
		got = slices.DeleteFunc(got, func(f string) bool { return !strings.Contains(f, model.CodeUnanchored) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", c.action, got, want)
		}
	}
	// An object is never a list of methods.
	got := severitiesOf(t, byFunction("regexMatch"), "p, ann, GET|POST, GET\n")
	if want := []string{"1 unanchored_regexp warning"}; !slices.Equal(got, want) {
		t.Errorf("object: got %q, want %q", got, want)
	}
}

func TestPartnersThatNothingNamesAreButANote(t *testing.T) {
	put, patch := "p, ann, /a/:id, PUT\n", "p, ann, /b/:id, PATCH\n"
	routes := func(methods ...string) LintOption {
		var infos []core.RouteInfo
		for _, method := range methods {
			infos = append(infos, core.RouteInfo{Method: method, Pattern: "/a/:id"}, core.RouteInfo{Method: method, Pattern: "/b/:id"})
		}
		return WithRoutes(infos)
	}
	for _, c := range []struct {
		name, policy string
		opts         []LintOption
		want         []string
	}{
		{"never named", put, nil, []string{"1 put_without_patch note"}},
		{"the other way round", patch, nil, []string{"1 patch_without_put note"}},
		{"named elsewhere", put + patch, nil, []string{"1 put_without_patch warning", "2 patch_without_put warning"}},
		{"a route", put, []LintOption{routes("PUT", "PATCH")}, []string{"1 put_without_patch warning"}},
		{"no route", put, []LintOption{routes("PUT")}, nil},
	} {
		got := severitiesOf(t, RBAC(), c.policy, c.opts...)
		got = slices.DeleteFunc(got, func(f string) bool { return !strings.Contains(f, "_without_p") })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestNotesAreListedAndNothingElse: notes are not warnings, and are not logged.
func TestNotesAreListedAndNothingElse(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	policy := "p, ann, /a, PUT\np, ann, /a, PUT\n"
	a, err := OpenFS(files("p.csv", policy), RBAC(), []string{"p.csv"}, WithLogger(logger))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Warnings(); len(got) != 1 || got[0].Code != model.CodeDuplicate {
		t.Errorf("warnings: %v", got)
	}
	findings := []Finding{{File: "p.csv", Severity: SeverityNote, Code: model.CodePutPatch}, {File: "p.csv", Severity: SeverityError, Code: model.CodeQuoting}}
	LogReloads(logger)(t.Context(), ReloadEvent{Outcome: ReloadRejected, Findings: findings})
	if strings.Contains(log.String(), model.CodePutPatch) || !strings.Contains(log.String(), model.CodeQuoting) || !strings.Contains(log.String(), model.CodeDuplicate) {
		t.Errorf("log:\n%s", log.String())
	}
	if SeverityNote >= SeverityWarning || SeverityWarning >= SeverityError {
		t.Error("the severities are not in order")
	}
}
