package main

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/session"
)

// users: each one's password is its name with an exclamation mark.
var users = basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
	if password != user+"!" {
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
})

// TestMain keeps what the tests provoke out of their output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	gin.SetMode(gin.TestMode)
	m.Run()
}

// browser is one that has signed in to a server.
type browser struct {
	*http.Client
	t   *testing.T
	url string
}

// signIn signs in to a server on a framework.
func signIn(t *testing.T, framework string) *browser {
	t.Helper()
	s, err := newSite(users, 5*time.Millisecond, session.WithPlainHTTPForDevelopment())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, done := frameworks[framework](s), make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends when it is shut down
	}()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{&http.Client{
		Transport: &http.Transport{}, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, t, "http://" + l.Addr().String()}
	t.Cleanup(func() {
		b.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), authtest.TimeLimit(time.Minute))
		defer cancel()
		_ = server.Shutdown(ctx)
		_ = l.Close() // it may not have come to listen yet
		<-done
	})
	b.post("/login", url.Values{"user": {"alice"}, "password": {"alice!"}})
	return b
}

func (b *browser) post(path string, form url.Values) {
	b.t.Helper()
	resp, err := b.PostForm(b.url+path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 400 {
		b.t.Fatalf("POST %s: %d", path, resp.StatusCode)
	}
}

// TestEventsEndWithTheSession: the stream goes on while the session is there, and
// says why it ends when it has been logged out.
func TestEventsEndWithTheSession(t *testing.T) {
	for framework := range frameworks {
		t.Run(framework, func(t *testing.T) {
			t.Parallel()
			b := signIn(t, framework)
			resp, err := b.Get(b.url + "/events")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			in := bufio.NewScanner(resp.Body)
			if !in.Scan() || in.Text() != "data: hello alice" || resp.Header.Get("Content-Type") != eventStream {
				t.Fatalf("%d %q %v", resp.StatusCode, in.Text(), in.Err())
			}
			for in.Scan() && in.Text() != "data: tick" { // a second of rechecks
			}
			b.post("/logout", nil)
			var rest []string
			for in.Scan() {
				if line := in.Text(); line != "" && line != "data: tick" {
					rest = append(rest, line)
				}
			}
			if !slices.Equal(rest, []string{"event: over", "data: 4401"}) || in.Err() != nil {
				t.Errorf("%q %v", rest, in.Err())
			}
			if again, err := b.Get(b.url + "/events"); err != nil || again.StatusCode != http.StatusUnauthorized {
				t.Errorf("after the logout: %+v %v", again, err)
			} else {
				_ = again.Body.Close()
			}
		})
	}
}

// TestWebSocketsEndWithTheSession: so does a WebSocket, with a close code; a page of
// another site opens none.
func TestWebSocketsEndWithTheSession(t *testing.T) {
	for framework := range frameworks {
		t.Run(framework, func(t *testing.T) {
			t.Parallel()
			b := signIn(t, framework)
			ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
			defer cancel()
			if resp, err := b.Get(b.url + "/talk"); err != nil || resp.StatusCode < 400 || resp.StatusCode > 499 {
				t.Errorf("no handshake: %+v %v", resp, err)
			} else {
				_ = resp.Body.Close()
			}
			foreign := &websocket.DialOptions{HTTPClient: b.Client, HTTPHeader: http.Header{"Origin": {"https://evil.example"}}}
			if _, resp, err := websocket.Dial(ctx, b.url+"/talk", foreign); err == nil || resp.StatusCode != http.StatusForbidden {
				t.Fatalf("a page of another site: %v", err)
			}
			c, _, err := websocket.Dial(ctx, b.url+"/talk", &websocket.DialOptions{HTTPClient: b.Client})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			for _, text := range []string{"one", "two"} {
				if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
					t.Fatal(err)
				}
				if _, got, err := c.Read(ctx); err != nil || string(got) != text {
					t.Fatalf("%q %v", got, err)
				}
			}
			b.post("/logout", nil)
			if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != 4401 {
				t.Errorf("%v", err)
			}
		})
	}
}
