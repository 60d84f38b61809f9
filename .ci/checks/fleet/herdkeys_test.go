//go:build linux

package fleet_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// issuer publishes a key set in virtual time. It is a transport.
type issuer struct {
	mu    sync.Mutex
	kid   string
	away  bool
	begin time.Time
	asked []time.Duration // since the beginning
}

// RoundTrip implements [http.RoundTripper].
func (i *issuer) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(latency())
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, time.Since(i.begin))
	if i.away {
		return nil, errAway
	}
	set := fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":%q,"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`, i.kid)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Cache-Control": {"max-age=60"}},
		Body: io.NopCloser(strings.NewReader(set)), ContentLength: int64(len(set)),
	}, nil
}

func (i *issuer) set(change func(i *issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

var issuerEvents = []event[*issuer]{
	{0, "all start", func(i *issuer) { i.away = true }},
	{20 * time.Second, "it is there", func(i *issuer) { i.away = false }},
	{90 * time.Second, "another key", func(i *issuer) { i.kid = "b" }},
	{120 * time.Second, "it is away", func(i *issuer) { i.away = true }},
	{180 * time.Second, "it is back, with another key", func(i *issuer) { i.kid, i.away = "c", false }},
}

// Each service is asked every second or so, with a token of the key that signs then.
const (
	issuing = 240 * time.Second
	between = 500 * time.Millisecond
)

// simulateKeys has a herd follow the keys of an issuer through all events. Behind is
// who cannot verify a token of the key that signs.
func simulateKeys(t *testing.T) *course {
	t.Helper()
	got := &course{asked: make([]int, issuing/step)}
	synctest.Test(t, func(t *testing.T) {
		of := &issuer{kid: "a", begin: time.Now()}
		issuerEvents[0].do(of)
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		behind := map[int]bool{}
		var services sync.WaitGroup
		for n := range herd {
			services.Go(func() {
				keys, err := jwtauth.Fetch("https://issuer.example/keys", jwtauth.WithTransport(of))
				if err != nil {
					t.Error(err)
					return
				}
				defer keys.Close()
				for ctx.Err() == nil {
					of.mu.Lock()
					kid := of.kid
					of.mu.Unlock()
					asking, done := context.WithTimeout(ctx, time.Second)
					found, err := keys.Keys(asking, kid)
					done()
					if ctx.Err() == nil && err == nil && len(found) == 0 {
						t.Errorf("a good token is refused: %s", kid)
					}
					mu.Lock()
					behind[n] = len(found) == 0
					mu.Unlock()
					select {
					case <-ctx.Done():
					case <-time.After(between + rand.N(2*between)):
					}
				}
			})
		}
		next := 1
		for range issuing / step {
			for next < len(issuerEvents) && time.Since(of.begin) >= issuerEvents[next].at {
				of.set(issuerEvents[next].do)
				next++
			}
			time.Sleep(step)
			count := 0
			mu.Lock()
			for _, is := range behind {
				if is {
					count++
				}
			}
			mu.Unlock()
			got.behind = append(got.behind, count)
		}
		cancel()
		services.Wait()
		for _, at := range of.asked {
			if i := int(at / step); i < len(got.asked) {
				got.asked[i]++
			}
		}
	})
	return got
}

// TestKeyHerd: 1,000 services that take their keys from one issuer ask it no more than
// so many times a second each, whatever happens to it, and refuse no good token.
func TestKeyHerd(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: it simulates some 200,000 requests")
	}
	t.Parallel()
	c := simulateKeys(t)
	c.check(t, []phase{
		{"at the start", 0, time.Second, 2},
		{"while the issuer is away", time.Second, 20 * time.Second, 1},
		{"when it is there", 20 * time.Second, 40 * time.Second, 0.5},
		{"at another key", 90 * time.Second, 92 * time.Second, 1},
		{"while it is away again", 120 * time.Second, 180 * time.Second, 0.7},
		{"when it is back", 180 * time.Second, 240 * time.Second, 1},
	}, map[time.Duration]time.Duration{
		// A service without keys asks again within 5 s of a request that misses them. Up to
		// 3*between may pass before that request, and as much before the next one.
		20 * time.Second: 5*time.Second + 6*between + step, 90 * time.Second: 2 * time.Second, 180 * time.Second: 2 * time.Second,
	})
	draw(t, "herd-keys.svg", fmt.Sprintf("%d services and the issuer of their tokens", herd), issuing, issuerEvents,
		panel{"requests to the issuer in a second", c.perSecond(), time.Second, "#4c78a8"},
		panel{"services that cannot verify a token of the newest key", c.behind, step, "#e45756"})
}
