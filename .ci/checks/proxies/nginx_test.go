// Package proxies_test runs the documented configurations of docs/proxies.md
// with nginx, Caddy and HAProxy, in front of servers on Gin, Fiber, Echo and net/http.
package proxies_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/checks/doccheck"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// TestMain keeps what the tests provoke out of their output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	gin.SetMode(gin.TestMode)
	m.Run()
}

// documented is the block "LANGUAGE NAME" of docs/proxies.md, with the second of
// each pair in place of the first, which must be there.
func documented(t *testing.T, language, name string, pairs ...string) string {
	t.Helper()
	// By a link inside the module, as in package doccheck.
	pages, err := doccheck.ReadPages(filepath.Join("..", "doccheck", "testdata", "repository") + "/.")
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, page := range pages {
		for _, b := range page.Blocks {
			if slices.Equal(b.Info, []string{language, name}) {
				text += b.Text
			}
		}
	}
	for pair := range slices.Chunk(pairs, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("the block %s %s has no %q", language, name, pair[0])
		}
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

// startNginx starts nginx with configuration, in which "listen 80;" becomes an
// address of the loopback interface, and returns that when it listens.
func startNginx(t *testing.T, configuration string) string {
	t.Helper()
	if !strings.Contains(configuration, "listen 80;") {
		t.Fatal("the configuration listens nowhere")
	}
	return programs.Nginx(t, func(dir, addr string) string {
		var paths strings.Builder
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			fmt.Fprintf(&paths, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
		}
		return fmt.Sprintf("daemon off; master_process off; pid %s;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n", filepath.Join(dir, "pid"), &paths,
			strings.NewReplacer("listen 80;", "listen "+addr+";", "/var/cache/nginx/", dir+"/").Replace(configuration))
	})
}

// ask sends one request with header lines "Name: value".
func ask(t *testing.T, addr, method, target string, lines ...string) authtest.Answer {
	t.Helper()
	return authtest.Send(t, addr, strings.Join(append([]string{method + " " + target + " HTTP/1.1", "Host: localhost"}, lines...), "\n"))
}

// startCaddy starts Caddy with configuration, in which ":80 {" becomes a site
// on the loopback interface, and returns its address when it listens.
func startCaddy(t *testing.T, configuration string) string {
	t.Helper()
	if !strings.Contains(configuration, "\n:80 {") {
		t.Fatal("the configuration has no site")
	}
	return programs.Caddy(t, func(_, addr string) string {
		_, port, _ := strings.Cut(addr, ":")
		return "{\n\tadmin off\n\tauto_https off\n}\n" + strings.Replace(configuration, "\n:80 {", "\nhttp://:"+port+" {\n\tbind 127.0.0.1", 1)
	})
}

// startHAProxy starts HAProxy with configuration, in which the file of the script
// becomes that of the page and "bind :80" an address of the loopback interface,
// and returns that when it listens.
func startHAProxy(t *testing.T, configuration string) string {
	t.Helper()
	return startHAProxyWith(t, configuration, documented(t, "lua", "forwardauth"))
}

// startHAProxyWith is startHAProxy with another script.
func startHAProxyWith(t *testing.T, configuration, lua string) string {
	t.Helper()
	const script, bind = "/etc/haproxy/sallyport.lua", "bind :80\n"
	if !strings.Contains(configuration, script) || !strings.Contains(configuration, bind) {
		t.Fatal("the configuration listens nowhere, or has no script")
	}
	return programs.HAProxy(t, func(dir, addr string) string {
		file := filepath.Join(dir, "sallyport.lua")
		if err := os.WriteFile(file, []byte(lua), 0o600); err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer(script, file, bind, "bind "+addr+"\n").Replace(configuration)
	})
}
