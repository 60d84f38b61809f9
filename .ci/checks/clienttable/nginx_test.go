package clienttable

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// nginxConfiguration keeps whatever does not say otherwise. The verbs are the
// folder, the address to listen on and that of the app.
const nginxConfiguration = `daemon off;
master_process off;
pid %[1]s/pid;
events {}
http {
    access_log off;
    client_body_temp_path %[1]s/client_body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    proxy_cache_path %[1]s/cache keys_zone=app:1m;
    server {
        listen %[2]s;
        location / {
            proxy_pass %[3]s;
            proxy_set_header Host $http_host;
            proxy_cache app;
            proxy_cache_valid any 10m;
        }
    }
}
`

// behindNginx asks twice through nginx with the same credentials, with newer ones
// where a client would have them, and then once as admin. It says what each got.
func behindNginx(t *testing.T, s situation, site *site) string {
	proxy := "http://" + programs.Nginx(t, func(dir, addr string) string { return fmt.Sprintf(nginxConfiguration, dir, addr, site.url) })
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	var answers []string
	for _, authorization := range []string{s.has.first(), s.has.second(), "Bearer " + admin} {
		before := len(site.log.all())
		resp := askOnce(t, base, proxy+s.path, s, authorization)
		if want := challengesOf(s, resp.StatusCode); len(resp.Header.Values("WWW-Authenticate")) != want {
			t.Errorf("%s: challenges %q, want %d", s.name, resp.Header.Values("WWW-Authenticate"), want)
		}
		answer := fmt.Sprint(resp.StatusCode)
		if len(site.log.all()) == before {
			answer += " kept"
		}
		answers = append(answers, answer)
	}
	return strings.Join(answers, ", ")
}

// challengesOf is how many lines of WWW-Authenticate an answer of the app has.
func challengesOf(s situation, status int) int {
	switch {
	case status == http.StatusUnauthorized && s.path == "/transfer":
		return 2 // what can ask for a step-up: tokens and sessions
	case status == http.StatusUnauthorized:
		return 3
	case status == http.StatusForbidden && s.path == "/export":
		return 1
	}
	return 0
}

func askOnce(t *testing.T, base http.RoundTripper, address string, s situation, authorization string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if s.answer == http.StatusSeeOther {
		req.Header.Set("Accept", "text/html")
	}
	resp, err := base.RoundTrip(req)
	must(t, err)
	must(t, resp.Body.Close())
	return resp
}

// throughNginx says what nginx did with three requests.
func throughNginx(exchanges []exchange) string {
	switch len(exchanges) {
	case 3:
		return "passes all on"
	case 2:
		return "keeps it for the same credentials"
	case 1:
		return "keeps it for everybody"
	}
	return "asks " + fmt.Sprint(len(exchanges)) + " times"
}
