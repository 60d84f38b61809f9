package clients

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// TestCurl has curl choose among all schemes.
func TestCurl(t *testing.T) {
	curl := programs.Need(t, "curl")
	s := newSetting(t)
	started := s.start(t, "-digest", s.file("sha256.htdigest"), "-apikeys", s.file("api.keys"))
	for _, c := range []struct {
		name string
		args []string
		path string
		want string
	}{
		{"nobody", nil, "/me", "401 authentication_required"},
		{"Basic", []string{"-u", "erin:erin-pass"}, "/me", "200 erin by Basic"},
		{"Basic, wrong password", []string{"-u", "erin:guess"}, "/me", "401 invalid_credentials"},
		{"Basic, forbidden", []string{"-u", "erin:erin-pass"}, "/admin/reports", "403 forbidden"},
		{"Digest", []string{"--digest", "-u", "erin:erin-pass"}, "/me", "200 erin by Digest"},
		{"Digest with a query", []string{"--digest", "-u", "erin:erin-pass"}, "/me?a=%20b&c", "200 erin by Digest"},
		{"Digest, POST", []string{"--digest", "-u", "erin:erin-pass", "-d", "text=hello"}, "/notes", "200 erin by Digest"},
		{"Digest, wrong password", []string{"--digest", "-u", "erin:guess"}, "/me", "401 invalid_credentials"},
		{"Digest, unknown user", []string{"--digest", "-u", "mallory:guess"}, "/me", "401 invalid_credentials"},
		{"Digest, forbidden", []string{"--digest", "-u", "erin:erin-pass"}, "/admin/reports", "403 forbidden"},
		{"any scheme takes the safest", []string{"--anyauth", "-u", "erin:erin-pass"}, "/me", "200 erin by Digest"},
		{"any scheme, wrong password", []string{"--anyauth", "-u", "erin:guess"}, "/me", "401 invalid_credentials"},
		{"Bearer", []string{"--oauth2-bearer", s.token}, "/me", "200 erin by Bearer"},
		{"Bearer, forbidden", []string{"--oauth2-bearer", s.token}, "/admin/reports", "403 forbidden"},
		{"Bearer, bad token", []string{"--oauth2-bearer", s.token[:len(s.token)-8]}, "/me", "401 invalid_token"},
		{"API key", []string{"-H", "X-API-Key: " + s.key}, "/me", "200 erin by ApiKey"},
		{"API key, cut", []string{"-H", "X-API-Key: " + s.key[:20]}, "/me", "401 invalid_credentials"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, started, func(t *testing.T, url string) {
				if got := curlStatus(t, curl, append(c.args, url+c.path)...); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// curlStatus is the last status that curl got, and what who says of the body.
func curlStatus(t *testing.T, curl string, args ...string) string {
	t.Helper()
	out := run(t, curl, append([]string{"-q", "-sS", "--noproxy", "*", "-w", "\n%{http_code}"}, args...)...)
	body, status, ok := cutLast(out.stdout, "\n")
	if !ok || out.code != 0 {
		t.Fatalf("curl ended with %d: %s%s", out.code, out.stdout, out.stderr)
	}
	return status + " " + who(t, body)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// TestCurlWithMD5: where MD5 is offered behind SHA-256, curl takes the first. So
// a user whose password is there as MD5 alone stays out.
func TestCurlWithMD5(t *testing.T) {
	curl := programs.Need(t, "curl")
	s := newSetting(t)
	onEach(t, s.start(t, "-digest", s.file("md5.htdigest"), "-digest-md5"), func(t *testing.T, url string) {
		for user, want := range map[string]string{"erin": "200 erin by Digest", "pam": "401 invalid_credentials"} {
			if got := curlStatus(t, curl, "--digest", "-u", user+":"+user+"-pass", url+"/me"); got != want {
				t.Errorf("%s: got %q, want %q", user, got, want)
			}
		}
		if out := run(t, curl, "-q", "-sSv", "--noproxy", "*", "--digest", "-u", "erin:erin-pass", url+"/me"); !strings.Contains(out.stderr, "algorithm=SHA-256\r\n") {
			t.Errorf("curl did not answer with SHA-256:\n%s", out.stderr)
		}
	})
}

// TestCurlWithoutBasic: a password is never sent where Basic is not offered,
// unless the client is told to, and then it does not count.
func TestCurlWithoutBasic(t *testing.T) {
	curl := programs.Need(t, "curl")
	s := newSetting(t)
	onEach(t, s.start(t, "-digest", s.file("sha256.htdigest"), "-basic=false"), func(t *testing.T, url string) {
		for how, want := range map[string]string{"--anyauth": "200 erin by Digest", "--digest": "200 erin by Digest", "--basic": "401 authentication_required"} {
			if got := curlStatus(t, curl, how, "-u", "erin:erin-pass", url+"/me"); got != want {
				t.Errorf("%s: got %q, want %q", how, got, want)
			}
		}
	})
}
