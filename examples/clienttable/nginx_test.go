package clienttable

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	proxy := startNginx(t, site.url)
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

// startNginx starts nginx in front of a site and returns its address when it
// listens. It ends with the test.
func startNginx(t *testing.T, site string) string {
	t.Helper()
	path, dir, addr := need(t, "nginx", "/usr/sbin/nginx"), t.TempDir(), unused(t)
	file := filepath.Join(dir, "nginx.conf")
	must(t, os.WriteFile(file, fmt.Appendf(nil, nginxConfiguration, dir, addr, site), 0o600))
	var output bytes.Buffer
	cmd := exec.Command(path, "-p", dir, "-c", file, "-e", "stderr")
	cmd.Stdout, cmd.Stderr = &output, &output
	must(t, cmd.Start())
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // says that it was killed
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		if t.Failed() {
			t.Logf("nginx: %s", &output)
		}
	})
	deadline := time.After(limit)
	for {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = conn.Close()
			return "http://" + addr
		}
		select {
		case <-exited:
			t.Fatalf("nginx has ended:\n%s", &output)
		case <-deadline:
			t.Fatal("nginx does not listen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// unused is an address of the loopback interface at which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
