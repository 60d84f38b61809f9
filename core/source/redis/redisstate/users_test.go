//go:build unix

package redisstate_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/revoke"
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

// TestMissingRights: whichever right of a page a user lacks, what then fails says that a right
// is missing.
func TestMissingRights(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	expired := revoke.Entry{ID: "j", Expires: time.Now().Add(-3 * time.Hour)}
	for page, of := range map[string]struct {
		user string
		more []any // rights
		does func(*redisstate.State) []error
	}{
		"shared-state": {"app", []any{"~sallyport:{default}:session:*", "+get", "+set", "+del"}, func(state *redisstate.State) (all []error) {
			for range 3 {
				_, err := state.Revocations().Append(t.Context(), "", expired)
				all = append(all, err)
			}
			_, err := state.Revocations().Read(t.Context(), revoke.Position{}, 10)
			_, _, missing := state.Sessions().Find("key")
			return append(all, err, missing, state.Sessions().Commit("key", nil, time.Now().Add(time.Hour)), state.Sessions().Delete("key"))
		}},
		"guessing": {"state", nil, func(state *redisstate.State) (all []error) {
			attempt := attempts.Attempt{
				Counters: []attempts.Counter{{Part: attempts.Address, Key: "address", Burst: 3, Interval: time.Minute, Ahead: time.Hour}},
				Known:    "known", Tried: "tried", KnownFor: time.Hour, MaxWait: time.Hour,
			}
			for _, o := range []attempts.Outcome{{Failed: true, Reserved: true}, {Succeeded: true, Reserved: true}, {Reserved: true}} {
				_, err := state.Attempts().Reserve(t.Context(), attempt)
				all = append(all, err, state.Attempts().Settle(t.Context(), attempt, o))
			}
			_, counted := state.Counts().Use(t.Context(), sum("nonce"), 1, time.Hour)
			_, proved := state.Replays().Remember(t.Context(), sum("key"), sum("proof"), time.Hour)
			return append(all, counted, proved)
		}},
	} {
		rights := append(usersOfPage(t, "../../../../docs/"+page+".md", "default")[of.user], of.more...)
		for i, without := range rights {
			says(t, s, "FLUSHALL")
			says(t, s, "SCRIPT", "FLUSH")
			says(t, s, append(append([]any{"ACL", "SETUSER", "u", "reset", "on", ">secret"}, rights[:i]...), rights[i+1:]...)...)
			says(t, s, "CLIENT", "KILL", "USER", "u")
			failed := 0
			for _, err := range of.does(as(t, s, "u", "default")) {
				if err != nil && !strings.Contains(err.Error(), "the user of the URL has no right to do that to keys sallyport:{default}:*") {
					t.Errorf("%s, without %s: %v", page, without, err)
				}
				if err != nil {
					failed++
				}
			}
			if failed == 0 && without != "+ping" && without != "+hello" && without != "+subscribe" {
				t.Errorf("%s: nothing needs %s", page, without)
			}
		}
	}
}

// TestRightToSelect: another database than 0 needs one more right, which the error names once.
func TestRightToSelect(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	says(t, s, "ACL", "SETUSER", "u", "on", ">secret", "~*", "+get", "+ping", "+hello")
	state, err := redisstate.New("redis://u:secret@"+s.Addr()+"/3", redisstate.WithTimeout(min(authtest.TimeLimit(5*time.Second), 10*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	_, _, err = state.Sessions().Find("key")
	if err == nil || strings.Count(err.Error(), "the user of the URL") != 1 || !strings.Contains(err.Error(), "'select'") {
		t.Error(err)
	}
}
