package redisstate_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

var acl = regexp.MustCompile(`(?m)^ACL SETUSER (\w+) +on >… (.*)$`)

// usersOfPage returns the rights of the users on a page, for the service called name.
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

// as returns the state of a service as a user of the server has it.
func as(t *testing.T, s *redistest.Server, user, name string) *redisstate.State {
	t.Helper()
	state, err := redisstate.New("redis://"+user+":secret@"+s.Addr(), redisstate.WithName(name), redisstate.WithTimeout(min(authtest.TimeLimit(5*time.Second), 10*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	return state
}
