//go:build linux

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
)

// endpoint tells in virtual time what tokens are worth. It is a transport.
type endpoint struct {
	mu    sync.Mutex
	away  bool
	begin time.Time
	asked []time.Duration // since the beginning
}

// RoundTrip implements [http.RoundTripper].
func (e *endpoint) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(latency())
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, time.Since(e.begin))
	if e.away {
		return nil, errAway
	}
	const answer = `{"active":true,"sub":"ann","client_id":"app","token_type":"Bearer"}`
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(answer)), ContentLength: int64(len(answer)),
	}, nil
}

var endpointEvents = []event[*endpoint]{
	{0, "all start", func(*endpoint) {}},
	{20 * time.Second, "the endpoint is away", func(e *endpoint) { e.away = true }},
	{60 * time.Second, "it is back", func(e *endpoint) { e.away = false }},
}

// Each service is asked every 400 ms or so: once in four times with a token that
// it has not seen, and else with one of which it keeps the answer for half a minute.
const (
	introspecting = 80 * time.Second
	unseen        = 4
)

// simulateIntrospection has a herd ask an endpoint through all events. Behind is who has
// answered its last request by 503.
func simulateIntrospection(t *testing.T) *course {
	t.Helper()
	got := &course{asked: make([]int, introspecting/step)}
	synctest.Test(t, func(t *testing.T) {
		of := &endpoint{begin: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		var behind [herd]atomic.Bool
		var services sync.WaitGroup
		for n := range herd {
			services.Go(func() {
				v, err := introspect.New("https://issuer.example/introspect", introspect.Secret("app", "a secret"),
					introspect.WithTransport(of), introspect.WithoutIssuer(), introspect.WithoutAudience())
				if err != nil {
					t.Error(err)
					return
				}
				for i := 0; ctx.Err() == nil; i++ {
					token := "known"
					if i%unseen == 0 {
						token = fmt.Sprint("unseen-", i)
					}
					_, err := v.VerifyToken(ctx, token)
					var unavailable *core.UnavailableError
					if ctx.Err() == nil && err != nil && !errors.As(err, &unavailable) {
						t.Errorf("a good token is refused: %v", err)
					}
					behind[n].Store(err != nil)
					select {
					case <-ctx.Done():
					case <-time.After(250*time.Millisecond + rand.N(300*time.Millisecond)):
					}
				}
			})
		}
		next := 1
		for range introspecting / step {
			for next < len(endpointEvents) && time.Since(of.begin) >= endpointEvents[next].at {
				of.mu.Lock()
				endpointEvents[next].do(of)
				of.mu.Unlock()
				next++
			}
			time.Sleep(step)
			count := 0
			for i := range behind {
				if behind[i].Load() {
					count++
				}
			}
			got.behind = append(got.behind, count)
		}
		cancel()
		services.Wait()
		time.Sleep(time.Second) // those who have asked and left have their answers
		for _, at := range of.asked {
			if i := int(at / step); i < len(got.asked) {
				got.asked[i]++
			}
		}
	})
	return got
}

// TestIntrospectionHerd: 1,000 services ask an endpoint that is away no more than so
// many times a second each, and go on at once when it is back.
func TestIntrospectionHerd(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: it simulates some 200,000 requests")
	}
	t.Parallel()
	c := simulateIntrospection(t)
	c.check(t, []phase{
		{"at the start", 0, time.Second, 2.5},
		{"at rest", time.Second, 20 * time.Second, 1.2},
		{"when the endpoint goes away", 20 * time.Second, 22 * time.Second, 2},
		{"while it is away", 22 * time.Second, 60 * time.Second, 1.5},
		{"when it is back", 60 * time.Second, 80 * time.Second, 2.5},
	}, map[time.Duration]time.Duration{60 * time.Second: 1600 * time.Millisecond})
	draw(t, "herd-introspection.svg", fmt.Sprintf("%d services and the endpoint that tells what their tokens are worth", herd), introspecting, endpointEvents,
		panel{"requests to the endpoint in a second", c.perSecond(), time.Second, "#4c78a8"},
		panel{"services that have answered their last request by 503", c.behind, step, "#e45756"})
}
