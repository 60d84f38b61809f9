package stores

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"

	shared "github.com/sallyport-go/sallyport/core/source"
)

// published is a folder with a policy that was published to a store in memory, which the
// following commands use.
func published(t *testing.T) string {
	t.Helper()
	m := new(sourcetest.Memory)
	openers["memory"] = func(*storeFlags, string) (shared.Store, error) { return m, nil }
	t.Cleanup(func() { delete(openers, "memory") })
	t.Setenv(storeVariable, "memory://")
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "policy.tests": "allow erin /reports/7 PATCH\n"})
	wants(t, dir, 0, "1 passed, 0 failed\npublished revision 1 by ann\n", "push", "-p", "DIR/policy.csv", "--author", "ann", "-M", "begin")
	return dir
}

func TestPushAndPull(t *testing.T) {
	dir := published(t)
	edit(t, dir, "policy.csv", policy+"p, editor, /reports, POST\n")
	wants(t, dir, 0, "1 passed|+ editor gains POST /reports|1 gained, 0 lost|nothing was published: --dry-run", "push", "-p", "DIR/policy.csv", "--author", "bob", "--dry-run")
	wants(t, dir, 0, "published revision 2 by bob", "push", "-p", "DIR/policy.csv", "--author", "bob", "--commit", "0123abc", "-M", "editors add")
	wants(t, dir, 0, "2  |bob  0123abc  editors add|1  |ann|begin", "history")
	wants(t, dir, 0, "model.conf|policy.csv|policy.tests", "show", "2")
	expect(t, dir, "", 0, policy, "", "show", "1", "--file", "policy.csv")
	other := t.TempDir()
	wants(t, other, 0, "revision 2, 3 files", "pull", "DIR")
	for _, name := range []string{"model.conf", "policy.csv", "policy.tests"} {
		a, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(other, name)); err != nil || string(a) != string(b) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	wants(t, other, 0, "store: 2|made from revision 2, the newest", "status", "DIR")
	wants(t, other, 0, "revision 1, 3 files", "pull", "DIR", "--revision", "1")
	wants(t, other, 2, "--revision -1: must be at least 1", "pull", "DIR", "--revision", "-1")
	wants(t, other, 2, "--before -1: must be at least 1", "history", "--before", "-1")
}

// TestPushAgain: a push whose answer was lost, so that the folder does not know of it, may be
// repeated; with other files it is a conflict.
func TestPushAgain(t *testing.T) {
	dir := published(t)
	before, err := os.ReadFile(filepath.Join(dir, localName))
	if err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "policy.csv", policy+"p, editor, /reports, POST\n")
	push := []string{"push", "-p", "DIR/policy.csv", "--author", "bob"}
	wants(t, dir, 0, "published revision 2 by bob", push...)
	edit(t, dir, localName, string(before))
	edit(t, dir, "policy.csv", policy+"p, editor, /reports, PUT\n")
	wants(t, dir, 2, "the store is at revision 2, and this was made from revision 1", push...)
	edit(t, dir, "policy.csv", policy+"p, editor, /reports, POST\n")
	expect(t, dir, "", 0, "nothing to publish: revision 2 holds these files\n", "", push...)
	wants(t, dir, 0, "made from revision 2, the newest", "status", "DIR")
	edit(t, dir, "policy.csv", policy)
	wants(t, dir, 0, "published revision 3 by bob", push...)
}

// atFirstWrite calls a function when a command begins to print.
type atFirstWrite struct {
	do   func()
	text bytes.Buffer
}

func (w *atFirstWrite) Write(b []byte) (int, error) {
	if w.do != nil {
		w.do()
		w.do = nil
	}
	return w.text.Write(b)
}

// TestPushOfFilesThatChange: the published files are the checked ones, even if a file is
// saved meanwhile.
func TestPushOfFilesThatChange(t *testing.T) {
	for name, text := range map[string]string{
		"policy.csv":   policy + "p, viewer, /*, *\n",
		"policy.tests": "deny erin /reports/7 PATCH\n",
		"model.conf":   presets["rbac-deny"]().Text(),
	} {
		dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "policy.tests": "allow erin /reports/7 PATCH\n"})
		keyPair(t, dir, "old")
		store := "file:" + filepath.Join(dir, "policy.bundle")
		var stderr bytes.Buffer
		stdout := &atFirstWrite{do: func() { edit(t, dir, name, text) }}
		code := program([]string{"push", "-p", filepath.Join(dir, "policy.csv"), "--author", "ann", "--store", store, "--key", filepath.Join(dir, "old.key")},
			strings.NewReader(""), stdout, &stderr)
		if code != exitUsage || !strings.Contains(stderr.String(), "changed while they were checked") {
			t.Errorf("%s: code %d, %s%s", name, code, stdout.text.String(), stderr.String())
		}
		wants(t, dir, 0, "the store is empty", "status", "DIR/none", "--store", store, "--public-key", "DIR/old.pub")
	}
}

// TestTwoEditors: the second one gets a message, loses nothing, and can continue.
func TestTwoEditors(t *testing.T) {
	ann := published(t)
	bob := t.TempDir()
	wants(t, bob, 0, "revision 1", "pull", "DIR")
	edit(t, ann, "policy.csv", policy+"p, editor, /reports, POST\n")
	edit(t, bob, "policy.csv", policy+"p, editor, /reports, DELETE\n")
	wants(t, ann, 0, "published revision 2", "push", "-p", "DIR/policy.csv", "--author", "ann")
	wants(t, bob, 2, "the store is at revision 2, and this was made from revision 1", "push", "-p", "DIR/policy.csv", "--author", "bob")
	wants(t, bob, 1, "made from revision 1, and others have published|changed here: policy.csv", "status", "DIR")
	wants(t, bob, 2, "policy.csv would be overwritten", "pull", "DIR")
	wants(t, bob, 0, "revision 2", "pull", "DIR", "--force")
	text, err := os.ReadFile(filepath.Join(bob, "policy.csv"))
	if err != nil || !strings.Contains(string(text), "POST") {
		t.Errorf("%s, %v", text, err)
	}
	unknown := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy})
	wants(t, unknown, 2, "nothing says which one was edited here", "push", "-p", "DIR/policy.csv", "--author", "cem")
}

// TestNothingIsPublishedUnseen: a policy is not published if its effect could not be written.
func TestNothingIsPublishedUnseen(t *testing.T) {
	dir := published(t)
	edit(t, dir, "policy.csv", policy+"p, editor, /reports, POST\n")
	var stderr strings.Builder
	args := []string{"push", "-p", filepath.Join(dir, "policy.csv"), "--author", "ann"}
	if code := program(args, strings.NewReader(""), brokenPipe{}, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "sallyport: broken pipe\n") {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
	wants(t, dir, 0, "made from revision 1, the newest", "status", "DIR")
}

// TestFolderOfAnotherStore: a folder with a revision of one store is refused by another,
// and can start over there.
func TestFolderOfAnotherStore(t *testing.T) {
	published(t)
	folder := t.TempDir()
	wants(t, folder, 0, "revision 1", "pull", "DIR")
	other := new(sourcetest.Memory)
	openers["memory"] = func(*storeFlags, string) (shared.Store, error) { return other, nil }
	wants(t, folder, 1, "the store is empty|made from revision 1, which the store does not have: it is another store", "status", "DIR")
	wants(t, folder, 2, "made from revision 1, and the store is at revision 0: it is another store|give --base 0", "push", "-p", "DIR/policy.csv", "--author", "ann")
	wants(t, folder, 0, "published revision 1 by ann", "push", "-p", "DIR/policy.csv", "--author", "ann", "--base", "0")
	wants(t, folder, 0, "made from revision 1, the newest", "status", "DIR")
}

// TestPushRefuses: findings, with exit code 1; --force publishes and records it, except
// what no instance would load.
func TestPushRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, policy, tests string
		args                []string
		said, forced        string
	}{
		{"an error", "p, viewer\n", "", nil, "no instance would load the policy", ""},
		{"a warning", policy + "p, viewer, /reports, GET\n", "", nil, "nothing was published: 1 warning", "forced: 1 warning"},
		{"a failed test", policy, "deny erin /reports/7 PATCH\n", nil, "FAIL|nothing was published: 1 failed test", "forced: 1 failed test"},
		{"a wider policy", policy + "p, editor, /reports, POST\n", "", []string{"--fail-on", "widen"}, "+ editor gains|1 change in effect", "forced: 1 change in effect"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := published(t)
			edit(t, dir, "policy.csv", tt.policy)
			if tt.tests != "" {
				edit(t, dir, "policy.tests", tt.tests)
			}
			args := append([]string{"push", "-p", "DIR/policy.csv", "--author", "ann"}, tt.args...)
			wants(t, dir, 1, tt.said, args...)
			wants(t, dir, 0, "1  ", "history")
			if tt.forced == "" {
				wants(t, dir, 1, tt.said, append(args, "--force")...)
				return
			}
			wants(t, dir, 0, "published revision 2", append(args, "--force")...)
			wants(t, dir, 0, tt.forced, "history")
		})
	}
}

// TestPushOfATruncatedPolicy: an incomplete policy is refused as well.
func TestPushOfATruncatedPolicy(t *testing.T) {
	dir := published(t)
	edit(t, dir, "policy.csv", policy+"p, viewer, /about, GET\n")
	wants(t, dir, 0, "published revision 2", "push", "-p", "DIR/policy.csv", "--author", "ann")
	edit(t, dir, "policy.csv", "p, editor, /reports/:id, PATCH\ng, erin, editor\n")
	wants(t, dir, 1, "the policy had 10 lines and has 2", "push", "-p", "DIR/policy.csv", "--author", "ann")
}

func TestRollback(t *testing.T) {
	dir := published(t)
	edit(t, dir, "policy.csv", policy+"p, editor, /reports, POST\n")
	wants(t, dir, 0, "published revision 2", "push", "-p", "DIR/policy.csv", "--author", "ann")
	wants(t, dir, 0, "- editor loses POST /reports|published revision 3 by bob", "rollback", "1", "--author", "bob", "-M", "too much")
	wants(t, dir, 0, "3  |bob  |restores revision 1  too much|2  |1  ", "history")
	expect(t, dir, "", 0, policy, "", "show", "3", "--file", "policy.csv")
	wants(t, dir, 2, "no such revision", "rollback", "9", "--author", "bob")
	wants(t, dir, 2, "not the number of a revision", "rollback", "x")
}

// TestChecksLeaveNoFiles: revisions are checked in memory, since files would survive a
// signal.
func TestChecksLeaveNoFiles(t *testing.T) {
	dir := published(t)
	edit(t, dir, "policy.csv", policy+"p, editor, /reports, POST\n")
	none := filepath.Join(dir, "none")
	for _, variable := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(variable, none)
	}
	wants(t, dir, 0, "+ editor gains POST /reports|published revision 2", "push", "-p", "DIR/policy.csv", "--author", "ann")
	wants(t, dir, 0, "1 passed|- editor loses POST /reports|published revision 3", "rollback", "1", "--author", "bob")
	if _, err := os.Lstat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder for temporary files is there, %v", err)
	}
}

// TestPublishingComparesFutureTimes: push and rollback refuse a gain in the future,
// unless a time is given.
func TestPublishingComparesFutureTimes(t *testing.T) {
	dir := published(t)
	timed := strings.Replace(casbinrules.RBACWithDeny().Text(), "g = _, _", "g = _, _, (_, _)", 1)
	const now = "p, a, /x, GET, allow\ng, u, a, _, _\n"
	const later = now + "g, v, a, 2090-01-01 00:00:00, _\n"
	edit(t, dir, "model.conf", timed)
	edit(t, dir, "policy.tests", "allow u /x GET\n")
	edit(t, dir, "policy.csv", later)
	push := []string{"push", "-m", "DIR/model.conf", "-p", "DIR/policy.csv", "--author", "ann"}
	wants(t, dir, 0, "published revision 2", push...)
	edit(t, dir, "policy.csv", now)
	wants(t, dir, 0, "- v loses GET /x from 2090-01-01 00:00:00|published revision 3", push...)
	edit(t, dir, "policy.csv", later)
	for _, args := range [][]string{push, {"rollback", "2", "--author", "bob"}} {
		args = append(args, "--fail-on", "widen")
		wants(t, dir, 1, "+ v gains GET /x from 2090-01-01 00:00:00|nothing was published: 1 change in effect", args...)
		wants(t, dir, 0, "no change in effect|nothing was published: --dry-run", append(args, "--dry-run", "--at", "2089-01-01 00:00:00")...)
	}
}

// TestPushKeepsOtherFiles: files that are neither model, policy nor tests stay.
func TestPushKeepsOtherFiles(t *testing.T) {
	dir := published(t)
	edit(t, dir, "users.htpasswd", "ann:x\n")
	wants(t, dir, 0, "published revision 2", "push", "-p", "DIR/policy.csv", "--file", "DIR/users.htpasswd", "--author", "ann")
	wants(t, dir, 0, "published revision 3", "push", "-p", "DIR/policy.csv", "--author", "ann", "--at-least", "3")
	expect(t, dir, "", 0, "ann:x\n", "", "show", "3", "--file", "users.htpasswd")
	wants(t, dir, 0, "published revision 40", "push", "-p", "DIR/policy.csv", "--author", "ann", "--at-least", "40")
}

// TestWhichStore: the store must be named, and its password is not printed.
func TestWhichStore(t *testing.T) {
	t.Setenv(storeVariable, "")
	dir := t.TempDir()
	wants(t, dir, 2, "which store?", "history")
	got := run(t, dir, "", "history", "--store", "mysql://ann:secret@db/x")
	if got.Code != 2 || !strings.Contains(got.Stderr, "no store of that kind") || strings.Contains(got.Stderr, "secret") {
		t.Errorf("%+v", got)
	}
	wants(t, dir, 2, "would not verify the server", "history", "--store", "postgres://db.example/app")
	wants(t, dir, 2, "would not verify the server", "history", "--store", "redis://cache.example")
	wants(t, dir, 0, "create schema if not exists sallyport|grant select|to \"app\"|grant insert|to \"publisher\"", "store", "schema", "--reader", "app", "--writer", "publisher")
}
