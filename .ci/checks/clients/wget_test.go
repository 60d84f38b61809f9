package clients

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// authenticationFailed is the status that wget ends with (wget(1), "Exit
// Status").
const authenticationFailed = 6

var statusLine = regexp.MustCompile(`(?m)^  HTTP/1\.1 (\d+)`)

// wgetStatuses are all statuses that wget got, and what who says of the last
// body. wget keeps no body of a refusal.
func wgetStatuses(t *testing.T, wget string, args ...string) string {
	t.Helper()
	out := run(t, wget, append([]string{"--no-config", "--no-proxy", "-S", "-t", "1", "-T", strconv.Itoa(int(limit.Seconds())), "-O", "-"}, args...)...)
	var words []string
	for _, m := range statusLine.FindAllStringSubmatch(out.stderr, -1) {
		words = append(words, m[1])
	}
	switch {
	case out.code == 0:
		words = append(words, who(t, out.stdout))
	case out.code == authenticationFailed && out.stdout == "":
		words = append(words, "failed")
	default:
		t.Fatalf("wget ended with %d: %s", out.code, out.stderr)
	}
	return strings.Join(words, " ")
}

// TestWget holds the servers against what wget 1.21 does: it answers the last
// challenge, which it takes for one of a scheme that it knows, and crashes where
// it is none: with API keys wget has to send its password unasked. Of Digest it
// knows MD5 alone, and answers SHA-256 with MD5 all the same, which is refused.
func TestWget(t *testing.T) {
	wget := programs.Need(t, "wget")
	s := newSetting(t)
	for _, group := range []struct {
		name    string
		servers []string
		clients []client
	}{
		{"Bearer, Digest and Basic", []string{"-digest", s.file("sha256.htdigest")}, []client{
			{"nobody", nil, "401 failed"},
			{"password", []string{"--user=erin", "--password=erin-pass"}, "401 200 erin by Basic"},
			{"password, unasked", []string{"--auth-no-challenge", "--user=erin", "--password=erin-pass"}, "200 erin by Basic"},
			{"wrong password", []string{"--user=erin", "--password=guess"}, "401 401 failed"},
			{"token", []string{"--header=Authorization: Bearer " + s.token}, "200 erin by Bearer"},
		}},
		{"Basic, and API keys behind it", []string{"-apikeys", s.file("api.keys")}, []client{
			{"nobody", nil, "401 failed"},
			{"password, unasked", []string{"--auth-no-challenge", "--user=erin", "--password=erin-pass"}, "200 erin by Basic"},
			{"key", []string{"--header=X-API-Key: " + s.key}, "200 erin by ApiKey"},
		}},
		{"Basic and Bearer", nil, []client{
			{"password", []string{"--user=erin", "--password=erin-pass"}, "401 200 erin by Basic"},
		}},
		{"Digest with SHA-256 alone", []string{"-digest", s.file("sha256.htdigest"), "-basic=false"}, []client{
			{"password", []string{"--user=erin", "--password=erin-pass"}, "401 401 failed"},
		}},
		{"Digest with MD5 too", []string{"-digest", s.file("md5.htdigest"), "-digest-md5", "-basic=false"}, []client{
			{"password", []string{"--user=erin", "--password=erin-pass"}, "401 200 erin by Digest"},
			{"password, unasked", []string{"--auth-no-challenge", "--user=erin", "--password=erin-pass"}, "401 200 erin by Digest"},
			{"wrong password", []string{"--user=erin", "--password=guess"}, "401 401 failed"},
		}},
	} {
		t.Run(group.name, func(t *testing.T) {
			onEach(t, s.start(t, group.servers...), func(t *testing.T, url string) {
				for _, c := range group.clients {
					if got := wgetStatuses(t, wget, append(c.args, url+"/me")...); got != c.want {
						t.Errorf("%s: got %q, want %q", c.name, got, c.want)
					}
				}
			})
		})
	}
}

// client is a call of wget, and what comes of it.
type client struct {
	name string
	args []string
	want string
}
