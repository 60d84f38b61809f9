package scenario

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// requestTimeout is how long one answer may take.
	requestTimeout = 10 * time.Second
	// maxBody is more than any answer of the servers has.
	maxBody = 16 << 10
)

// Server is a server to try.
type Server struct {
	Name string
	// URL is the address it listens on, "http://HOST:PORT".
	URL string
}

// Result is a scenario and what each server answered, in their order.
type Result struct {
	Group    string
	Scenario Scenario
	Answers  []Answer
}

// Play sends every scenario to every server and returns the results in order.
// It ends early only with ctx, whose error it returns. After it the account
// service is down.
func (w *World) Play(ctx context.Context, servers []Server) ([]Result, error) {
	client := newClient()
	var results []Result
	for _, g := range All() {
		if g.Outage {
			if err := w.Close(); err != nil {
				return nil, fmt.Errorf("stop the account service: %w", err)
			}
		}
		for _, s := range g.Scenarios {
			r := Result{Group: g.Title, Scenario: s, Answers: make([]Answer, len(servers))}
			var wg sync.WaitGroup
			for i, server := range servers {
				wg.Go(func() { r.Answers[i] = w.ask(ctx, client, server, s) })
			}
			wg.Wait()
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", g.Title, s.Name, err)
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// newClient follows no redirect and keeps no connection, so that servers stop
// at once.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       requestTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (w *World) ask(ctx context.Context, client *http.Client, server Server, s Scenario) Answer {
	a, err := w.send(ctx, client, server, s)
	if err != nil {
		return Answer{Verdict: "no answer", Body: err.Error()}
	}
	return a
}

func (w *World) send(ctx context.Context, client *http.Client, server Server, s Scenario) (Answer, error) {
	credentials, ok := w.credentials[s.As]
	if !ok && s.As != "" {
		return Answer{}, fmt.Errorf("no credentials are called %q", s.As)
	}
	req, err := http.NewRequestWithContext(ctx, s.Method, server.URL, nil)
	if err != nil {
		return Answer{}, err
	}
	// An opaque URL is sent as it stands; a parsed one would be put in order.
	req.URL = &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Opaque: s.Target}
	if s.As != "" {
		req.Header["Authorization"] = credentials
	}
	if s.Preflight {
		req.Header.Set("Origin", "https://app.example")
		req.Header.Set("Access-Control-Request-Method", http.MethodPut)
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return Answer{}, err
	}
	return newAnswer(resp, body)
}
