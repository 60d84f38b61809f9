//go:build linux

package fleet_test

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	fiber3 "github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/fiberauth"
	fiberauth3 "github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// preforkVariable is the environment variable that makes a process of this test an app
// with Prefork, or one of its processes.
const preforkVariable = "SALLYPORT_PREFORK"

// preforkSettings are what the variable holds.
type preforkSettings struct {
	Version, Address, Thumbprint string
	// Redis is the URL of the server, "" for none; Service is the name there.
	Redis, Service string
}

const (
	// processField is the field of answers that says which process it was.
	processField = "X-Process"
	// boundToken is one that is bound to the key of Thumbprint.
	boundToken = "token-of-alice"
)

// preforkParts are what stands before the routes.
type preforkParts struct {
	login, logout                      core.Endpoint
	sessions, proofs, failures, counts *core.Guard
}

// prefork serves until it is killed.
func prefork(text string) error {
	var s preforkSettings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	parts, err := s.parts()
	if err != nil {
		return err
	}
	process := strconv.Itoa(os.Getpid())
	if s.Version == "v3" {
		app := fiber3.New()
		done := func(c fiber3.Ctx) error { return c.SendString("done") }
		app.Use(func(c fiber3.Ctx) error {
			c.Set(processField, process)
			return c.Next()
		})
		app.Get("/process", done)
		app.Post("/login", fiberauth3.Serve(parts.login))
		app.Post("/logout", fiberauth3.Serve(parts.logout))
		app.Get("/session", fiberauth3.Authenticate(parts.sessions), done)
		app.Get("/proof", fiberauth3.Authenticate(parts.proofs), done)
		app.Get("/password", fiberauth3.Authenticate(parts.failures), done)
		app.Get("/digest", fiberauth3.Authenticate(parts.counts), done)
		return app.Listen(s.Address, fiber3.ListenConfig{EnablePrefork: true, DisableStartupMessage: true})
	}
	app := fiber.New(fiber.Config{Prefork: true, DisableStartupMessage: true})
	done := func(c *fiber.Ctx) error { return c.SendString("done") }
	app.Use(func(c *fiber.Ctx) error {
		c.Set(processField, process)
		return c.Next()
	})
	app.Get("/process", done)
	app.Post("/login", fiberauth.Serve(parts.login))
	app.Post("/logout", fiberauth.Serve(parts.logout))
	app.Get("/session", fiberauth.Authenticate(parts.sessions), done)
	app.Get("/proof", fiberauth.Authenticate(parts.proofs), done)
	app.Get("/password", fiberauth.Authenticate(parts.failures), done)
	app.Get("/digest", fiberauth.Authenticate(parts.counts), done)
	return app.Listen(s.Address)
}

// preforkStores are the options with stores, none without a server.
type preforkStores struct {
	sessions []session.Option
	proofs   []dpop.Option
	failures []attempts.Option
	counts   []digest.Option
}

func (s preforkSettings) stores() (preforkStores, error) {
	if s.Redis == "" {
		return preforkStores{}, nil
	}
	patience := authtest.TimeLimit(5 * time.Second)
	state, err := openState(s.Redis, s.Service)
	if err != nil {
		return preforkStores{}, err
	}
	return preforkStores{
		[]session.Option{session.WithStore(state.Sessions()), session.WithStoreTimeout(min(patience, time.Minute))},
		[]dpop.Option{dpop.WithReplays(state.Replays())},
		[]attempts.Option{
			attempts.WithStore(state.Attempts(), []byte(strings.Repeat("k", 32))), attempts.WithUnsharedAttempts(0), attempts.WithTimeout(5 * time.Second),
		},
		[]digest.Option{digest.WithCounts(state.Counts())},
	}, nil
}

func (s preforkSettings) parts() (p preforkParts, err error) {
	stores, err := s.stores()
	if err != nil {
		return p, err
	}
	users := basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if user != "alice" || password != "right" {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	})
	manager, err := session.New(append(stores.sessions, session.WithPlainHTTPForDevelopment())...)
	if err != nil {
		return p, err
	}
	p.login, p.logout = manager.LoginEndpoint(users), manager.LogoutEndpoint()
	if p.sessions, err = core.NewGuard([]core.Authenticator{manager}); err != nil {
		return p, err
	}
	bound, err := dpop.New("prefork", "http://"+s.Address, boundTo(s.Thumbprint), stores.proofs...)
	if err != nil {
		return p, err
	}
	if p.proofs, err = core.NewGuard([]core.Authenticator{bound}); err != nil {
		return p, err
	}
	limiter, err := attempts.New(append(stores.failures, attempts.WithMaxWait(24*time.Hour), attempts.WithAddressBudget(1, 24*time.Hour, 3))...)
	if err != nil {
		return p, err
	}
	passwords, err := basic.New("prefork", users)
	if err != nil {
		return p, err
	}
	if p.failures, err = core.NewGuard([]core.Authenticator{passwords}, core.WithAttemptLimiter(limiter)); err != nil {
		return p, err
	}
	hashes, err := digest.NewFile("prefork")
	if err != nil {
		return p, err
	}
	hash, err := digest.HashA1(digest.SHA256, "alice", "prefork", "right")
	if err != nil {
		return p, err
	}
	if err := hashes.Load("users.htdigest", []byte("alice:prefork:"+hash+"\n")); err != nil {
		return p, err
	}
	answers, err := digest.New("prefork", hashes, append(stores.counts, digest.WithNonceKey([]byte(strings.Repeat("n", 32))))...)
	if err != nil {
		return p, err
	}
	p.counts, err = core.NewGuard([]core.Authenticator{answers})
	return p, err
}

// boundTo is a verifier of one token, by the thumbprint of its key.
type boundTo string

// VerifyBoundToken implements dpop.TokenVerifier.
func (b boundTo) VerifyBoundToken(_ context.Context, token string) (*core.Principal, string, error) {
	if token != boundToken {
		return nil, "", &core.CredentialError{Reason: core.ReasonMalformed, Code: core.CodeInvalidCredentials}
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	return p, string(b), err
}
