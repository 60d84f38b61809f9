package redisstate_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var acl = regexp.MustCompile(`(?m)^ACL SETUSER (\w+) +on >… (.*)$`)

// usersOfPage are the rights of the users that a page shows, for the service called
// name.
func usersOfPage(t *testing.T, page, name string) map[string][]any {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	users := map[string][]any{}
	for _, line := range acl.FindAllStringSubmatch(string(text), -1) {
		var rights []any
		for right := range strings.FieldsSeq(strings.ReplaceAll(line[2], "{NAME}", "{"+name+"}")) {
			rights = append(rights, right)
		}
		users[line[1]] = rights
	}
	if len(users) == 0 {
		t.Fatalf("%s shows no users", page)
	}
	return users
}
