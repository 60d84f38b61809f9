package scenario

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// requestTimeout is how long one answer may take.
var requestTimeout = authtest.TimeLimit(time.Minute)

// maxBody is more than any answer of the servers has.
const maxBody = 16 << 10

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
// It ends early only with ctx, whose error it returns. It can be called once:
// afterwards the services that servers ask are down.
func (w *World) Play(ctx context.Context, servers []Server) ([]Result, error) {
	client := newClient()
	var results []Result
	for _, g := range All() {
		if g.Begin != nil {
			if err := g.Begin(ctx, w, servers); err != nil {
				return nil, fmt.Errorf("%s: %w", g.Title, err)
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
	var fields http.Header
	if s.As != "" {
		prove, ok := w.credentials[s.As]
		if !ok {
			return Answer{}, fmt.Errorf("no credentials are called %q", s.As)
		}
		var err error
		fields, err = prove(ctx, s, func(ctx context.Context, fields http.Header) (http.Header, error) {
			resp, _, err := exchange(ctx, client, server, s, fields)
			if err != nil {
				return nil, err
			}
			return resp.Header, nil
		})
		if err != nil {
			return Answer{}, fmt.Errorf("%s: %w", s.As, err)
		}
	}
	resp, body, err := exchange(ctx, client, server, s, fields)
	if err != nil {
		return Answer{}, err
	}
	return newAnswer(resp, body)
}

// exchange sends the scenario's request with fields. The body of the response
// has been read and closed.
func exchange(ctx context.Context, client *http.Client, server Server, s Scenario, fields http.Header) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, s.Method, server.URL, nil)
	if err != nil {
		return nil, nil, err
	}
	// An opaque URL is sent as it stands; a parsed one would be put in order.
	req.URL = &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Opaque: s.Target}
	maps.Copy(req.Header, fields)
	for _, f := range s.Fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return resp, body, err
}
