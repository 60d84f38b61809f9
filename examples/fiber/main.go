// Command fiber serves the reports example on Fiber: a guard that takes tokens,
// passwords and API keys, a policy file, and rules in code.
//
// To copy it, drop what comes from examples/internal/demo: the fields of d that
// are flags, such as d.Realm, are yours to fill in. Replace d.Keys by the keys of
// your issuer with jwtauth.Discover, d.Load by watch.Load, and d.Accounts by a
// lookup in your database. Drop the schemes that you do not offer, and d.Keep.
package main

import (
	"context"
	"net"
	"path/filepath"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/examples/policy"
	"github.com/sallyport-go/sallyport/fiberauth"
)

func main() { demo.Main(server) }

func server(d *demo.Demo) demo.Server { return fiberServer{routes(d)} }

// fiberServer gives Fiber's server the method names of a net/http server.
type fiberServer struct{ app *fiber.App }

func (f fiberServer) Serve(l net.Listener) error         { return f.app.Listener(l) }
func (f fiberServer) Shutdown(ctx context.Context) error { return f.app.ShutdownWithContext(ctx) }

// routes mounts the gates. Routes for GET take OPTIONS too, so that the gates
// answer a browser's preflight; Fiber answers HEAD wherever it answers GET.
func routes(d *demo.Demo) *fiber.App {
	guard := newGuard(d)
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		DisablePreParseMultipartForm: true, // else what follows a form in its body is taken for a request
	})
	app.Use(recover.New())
	read := func(path string, handlers ...fiber.Handler) { app.Get(path, handlers...).Options(path, handlers...) }

	// Gate one alone: public, optional, required.
	read("/healthz", show)
	read("/whoami", fiberauth.Optional(guard), show)
	read("/me", fiberauth.Authenticate(guard), show)

	// Both gates, with the policy file.
	byPolicy := fiberauth.Authorize(guard)
	read("/reports", byPolicy, show)
	app.Post("/reports", byPolicy, show)
	read("/reports/:id", byPolicy, show)
	app.Put("/reports/:id", byPolicy, show).Patch("/reports/:id", byPolicy, show).Delete("/reports/:id", byPolicy, show)
	app.All("/files/*", byPolicy, show)

	// Both gates, with rules in code.
	proPlan := rule.Any(rule.Claim("plan", "pro"), rule.Func("subscriber", demo.Subscribed))
	active := fiberauth.Require(guard, rule.Account(d.Accounts))
	read("/admin/reports", fiberauth.Require(guard, rule.Role("admin")), show)
	read("/insights", fiberauth.Require(guard, proPlan), show)
	read("/regional", fiberauth.Require(guard, rule.Claim("region", "eu")), show)
	read("/scoped", fiberauth.Require(guard, rule.Scope("reports:read")), show)
	app.Post("/notes", active, show).Options("/notes", active, show)
	return must(app, fiberauth.Verify(app))
}

// show answers with the route and the principal.
func show(c *fiber.Ctx) error {
	return c.JSON(demo.NewAnswer(c.Route().Path, fiberauth.Principal(c)))
}

// newGuard returns a guard with the schemes, the policy, and limits on guessing.
func newGuard(d *demo.Demo) *core.Guard {
	rules := must(openPolicy(d))
	d.Keep(rules)
	opts := []core.Option{
		core.WithAuthorizer(rules), core.WithObserver(core.LogObserver(d.Log)), core.WithLogger(d.Log), core.WithoutPrompts(),
	}
	if d.Limit > 0 {
		opts = append(opts, core.WithAttemptLimiter(must(attempts.New(attempts.WithAddressBudget(10, time.Minute, d.Limit)))))
	}
	return must(core.NewGuard(schemes(d), opts...))
}

// openPolicy opens the policy in a directory, which is reloaded when it changes, or the
// built-in one.
func openPolicy(d *demo.Demo) (*casbinrules.Authorizer, error) {
	model, rules, log := policy.Model, policy.Rules, casbinrules.WithLogger(d.Log)
	if d.PolicyDir == "" {
		return casbinrules.OpenFS(policy.Files, casbinrules.ModelFile(model), []string{rules}, log)
	}
	model, rules = filepath.Join(d.PolicyDir, model), filepath.Join(d.PolicyDir, rules)
	return casbinrules.Open(casbinrules.ModelFile(model), []string{rules}, casbinrules.WithFileWatch(), log)
}

// schemes returns the schemes, strongest first; the last one is not standard, and some
// clients stop at a challenge that they do not know.
func schemes(d *demo.Demo) []core.Authenticator {
	jwts := must(jwtauth.New(d.Keys, jwtauth.WithIssuer(d.Issuer), jwtauth.WithAudience(d.Audience)))
	tokens := bearer.TokenVerifier(jwts)
	if d.Introspect != "" { // the issuer introspects tokens that are not JWTs
		opaque := must(introspect.New(d.Introspect, d.Client, introspect.WithIssuer(d.Issuer), introspect.WithAudience(d.Audience)))
		tokens = must(jwtauth.ByForm(jwts, opaque))
	}
	all := []core.Authenticator{must(bearer.New(d.Realm, tokens))}
	if d.Digest != "" {
		users, offered := must(digest.NewFile(d.Realm)), []digest.Option{}
		if d.DigestMD5 { // for clients that support nothing else
			users, offered = must(digest.NewFile(d.Realm, digest.WithMD5())), append(offered, digest.WithMoreAlgorithms(digest.MD5))
		}
		d.Load(d.Digest, users)
		all = append(all, must(digest.New(d.Realm, users, offered...)))
	}
	if d.Basic {
		// The demo accepts any cost, such as the default of htpasswd.
		// Keep the limit of the package in production.
		users := must(htpasswd.New(htpasswd.WithMinCost(4)))
		d.LoadUsers(users)
		// With the cache, a page does not cost a password hash for each image.
		all = append(all, must(basic.New(d.Realm, must(basic.NewCache(users)))))
	}
	if d.APIKeys != "" {
		keys := new(apikey.File)
		d.Load(d.APIKeys, keys)
		all = append(all, must(apikey.New(d.Realm, keys)))
	}
	return all
}

// must panics with the error, which demo.Main prints.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
