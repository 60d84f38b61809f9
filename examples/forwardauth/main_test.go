package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// start runs the program with further arguments and returns its address.
func start(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), stdout, io.Discard)
		_ = stdout.CloseWithError(err) // always nil
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the program ended with %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
}

// TestQuestions asks as each proxy does.
func TestQuestions(t *testing.T) {
	for name, question := range map[string]func(address, method, target string) *http.Request{
		"nginx": func(address, method, target string) *http.Request {
			r, _ := http.NewRequest(http.MethodGet, address+"/check", nil)
			r.Header.Set("X-Original-Method", method)
			r.Header.Set("X-Original-URI", target)
			return r
		},
		"caddy": func(address, method, target string) *http.Request {
			r, _ := http.NewRequest(http.MethodGet, address+"/check", nil)
			r.Header.Set("X-Forwarded-Method", method)
			r.Header.Set("X-Forwarded-Uri", target)
			r.Header.Set("X-Forwarded-Host", "app.example")
			r.Header.Set("X-Forwarded-Proto", "http")
			return r
		},
		"envoy": func(address, method, target string) *http.Request {
			r, _ := http.NewRequest(method, address+"/check"+target, nil)
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := start(t, "-proxy", name)
			for _, c := range []struct {
				method, target, user string
				status               int
			}{
				{http.MethodGet, "/reports/7", "victor", http.StatusOK},
				{http.MethodGet, "/reports/7", "", http.StatusUnauthorized},
				{http.MethodDelete, "/reports/7", "victor", http.StatusForbidden},
				{http.MethodDelete, "/reports/7", "alice", http.StatusOK},
			} {
				r := question(address, c.method, c.target)
				if c.user != "" {
					r.SetBasicAuth(c.user, c.user+"-pass")
				}
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != c.status || resp.Header.Get("X-Auth-User") != c.user && c.status == http.StatusOK {
					t.Errorf("%s %s of %q: %s with user %q, want %d", c.method, c.target, c.user, resp.Status, resp.Header.Get("X-Auth-User"), c.status)
				}
			}
		})
	}
}

func TestBadFlags(t *testing.T) {
	for want, args := range map[string][]string{
		`-proxy "varnish"`: {"-proxy", "varnish"},
		"-from":            {"-from", "localhost"},
		"not defined":      {"-nothing"},
		"listen":           {"-addr", "127.0.0.1:99999"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}

// TestStrangersHearNothing: whoever is not the proxy gets 404.
func TestStrangersHearNothing(t *testing.T) {
	resp, err := http.Get(start(t, "-from", "192.0.2.0/24") + "/check")
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %s, want 404", resp.Status)
	}
}
