package fiberauth_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/cache"
	"github.com/gofiber/fiber/v3/middleware/idempotency"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// TestCachesInsideTheProgram: what docs/caches.md says of Fiber v3's middleware.
func TestCachesInsideTheProgram(t *testing.T) {
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		t.Fatal(err)
	}
	gate := fiberauth.Authenticate(g)
	keyed := cache.New(cache.Config{KeyGenerator: func(c fiber.Ctx) string {
		p := fiberauth.Principal(c)
		return fmt.Sprintf("%q %q %q %s", p.Tenant(), p.Scheme(), p.ID(), c.OriginalURL())
	}})
	for _, tt := range []struct {
		name  string
		chain []fiber.Handler
		users [3]string
		want  [3]string
	}{
		{"a cache in front", []fiber.Handler{cache.New(), gate}, [3]string{"alice", "bob", ""}, [3]string{"200 alice", "200 bob", "401"}},
		{"a cache in front, filled by a refusal", []fiber.Handler{cache.New(), gate}, [3]string{"", "alice", "bob"}, [3]string{"401", "200 alice", "200 bob"}},
		{"a cache behind", []fiber.Handler{gate, cache.New()}, [3]string{"alice", "bob", ""}, [3]string{"200 alice", "200 bob", "401"}},
		{"a cache behind, with who it is", []fiber.Handler{gate, keyed}, [3]string{"alice", "bob", ""}, [3]string{"200 alice", "200 bob", "401"}},
		{"idempotency in front", []fiber.Handler{idempotency.New(), gate}, [3]string{"alice", "bob", ""}, [3]string{"200 alice", "200 alice", "200 alice"}},
		{"idempotency behind", []fiber.Handler{gate, idempotency.New()}, [3]string{"alice", "bob", ""}, [3]string{"200 alice", "200 alice", "401"}},
	} {
		app := fiber.New()
		method := http.MethodGet
		if tt.name[0] == 'i' { // which looks at unsafe methods alone
			method = http.MethodPost
		}
		handle(app, method, "/page", append(tt.chain, func(c fiber.Ctx) error {
			return c.SendString(fiberauth.Principal(c).ID())
		})...)
		for i, user := range tt.users {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://app.example/page", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Idempotency-Key", "d9b1a3f0-9d6d-4c0e-8d3e-0f5a3c1b2a77")
			if user != "" {
				r.Header.Set("Authorization", "Name "+user)
			}
			resp, err := app.Test(r, fiber.TestConfig{Timeout: authtest.TimeLimit(5 * time.Second)})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%d %s", resp.StatusCode, body)
			if resp.StatusCode != http.StatusOK {
				got = fmt.Sprint(resp.StatusCode)
			}
			if got != tt.want[i] {
				t.Errorf("%s, request %d, of %q: %q, want %q", tt.name, i+1, user, got, tt.want[i])
			}
		}
	}
}
