package cli

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// TestAtFlag: links with a start and an end are judged as at another time.
func TestAtFlag(t *testing.T) {
	dir := write(t, map[string]string{
		"model.conf": strings.Replace(casbinrules.RBAC().Text(), "g = _, _", "g = _, _, (_, _)", 1),
		"policy.csv": "p, editor, /x, GET\ng, ann, editor, 2099-06-01 00:00:00, 2099-09-01 00:00:00\n",
	})
	check := []string{"check", "-p", "DIR/policy.csv"}
	expect(t, dir, "ann, /x, GET\n", exitOK, "deny\n", "", check...)
	expect(t, dir, "ann, /x, GET\n", exitOK, "allow\n", "", append(check, "--at", "2099-07-01 00:00:00")...)
	expect(t, dir, "ann, /x, GET\n", exitOK, "deny\n", "", append(check, "--at", "2099-10-01 00:00:00")...)
	expect(t, dir, "", exitUsage, "", "write a time in UTC", append(check, "--at", "tomorrow")...)
}

// TestDefaultRoleFlag: everybody with credentials has the role, and nobody else.
func TestDefaultRoleFlag(t *testing.T) {
	dir := write(t, map[string]string{"policy.csv": "p, reader, /x, GET\n"})
	check := []string{"check", "-m", "rbac", "-p", "DIR/policy.csv", "--allow-anonymous"}
	expect(t, dir, "ann, /x, GET\n", exitOK, "deny\n", "", check...)
	expect(t, dir, "ann, /x, GET\nanonymous, /x, GET\n", exitOK, "allow\ndeny\n", "", append(check, "--default-role", "reader")...)
}
