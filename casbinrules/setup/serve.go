package setup

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// checkPath is the path that proxies request, and the prefix that Envoy adds to
// paths.
const checkPath = "/check"

// proxyKinds are the proxies that can ask, by name.
var proxyKinds = map[string]forwardauth.Proxy{
	"nginx": forwardauth.Nginx(), "caddy": forwardauth.Caddy(), "traefik": forwardauth.Traefik(),
	"haproxy": forwardauth.HAProxy(), "envoy": forwardauth.Envoy(checkPath),
}

// Address returns the address to listen on, from the section serve of the file, or
// "" if there is no such section.
func (s *Setup) Address() string { return s.address }

// Metrics returns the page of the observer prometheus, for a program with a server of
// its own. Only the peers that the observer's key scrapers names may read it; others get
// 404, as does everybody if the file has no such observer.
func (s *Setup) Metrics() http.Handler {
	if s.page == nil {
		return http.NotFoundHandler()
	}
	return s.page
}

// Handler returns the guard as a service that a proxy asks about each request: the
// proxy requests /check, and nginx also fetches the answer for refused clients from
// /refusal. Both are only for the peers that the file lists as proxies. GET /healthz
// returns 204 to everybody, and /metrics is the page of the observer prometheus, if
// the file has it. It is an error if the file has no section serve, or no policy.
//
// With a sign-in at another server, Handler also serves its endpoints, to everybody,
// and the proxy must forward their paths: the page session.sign_in_page,
// /openid/callback/ and /openid/logout/ with the name of a provider, and
// /openid/logout, to which a page of the application posts to sign out. A sign-in
// with a method Path, such as the kind oidc with its key path, has another prefix
// instead of /openid/. [Open] refuses a sign-in page or a path that is already
// taken.
func (s *Setup) Handler() (http.Handler, error) {
	if s.service == nil {
		return nil, errors.New("setup: the file has no section serve: it says which proxy asks")
	}
	mux := http.NewServeMux()
	check := httpauth.Serve(s.service.Check)
	mux.Handle("/refusal", httpauth.Serve(s.service.Refusal))
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			_, _ = io.WriteString(w, "only GET is allowed\n") // fails only if the client has gone
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if s.page != nil {
		mux.Handle("/metrics", s.page)
	}
	if s.signIn != nil {
		s.mountSignIn(mux)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A mux would clean the path and redirect, but in Envoy's requests the path
		// of the original request follows the prefix.
		if isCheck(r.URL.EscapedPath()) {
			check.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}), nil
}

// signInPath is the prefix of the paths of a sign-in at another server that has no
// method Path.
const signInPath = "/openid/"

// signInPaths returns the paths of the sign-in at another server.
func (s *Setup) signInPaths() (page, callback, backChannel, logout string) {
	base := signInPath
	if other, ok := s.signIn.(interface{ Path() string }); ok {
		base = other.Path()
	}
	page, _, _ = strings.Cut(s.sessions.SignInPage(), "?")
	return page, base + "callback/", base + "logout/", base + "logout"
}

// checkSignInPaths returns an error if an endpoint of the sign-in has the path of
// another endpoint, or a path that proxies request.
func (s *Setup) checkSignInPaths() error {
	page, callback, backChannel, logout := s.signInPaths()
	for _, p := range []string{callback, logout} {
		if isCheck(p) || below(p, "/refusal") || below(p, "/healthz") || below(p, "/metrics") {
			return fmt.Errorf("%s is already used by sallyport serve: give the sign-in another path, such as %s", p, signInPath)
		}
	}
	switch {
	case isCheck(page), slices.Contains([]string{"/", "/refusal", "/healthz", "/metrics", logout}, page),
		strings.HasPrefix(page, callback), strings.HasPrefix(page, backChannel),
		page != path.Clean(page), strings.ContainsAny(page, "{}%"):
		return fmt.Errorf("sign_in_page %q: sallyport serve cannot serve the page there: use %ssign-in", page, strings.TrimSuffix(logout, "logout"))
	}
	return nil
}

// below reports whether a path equals a prefix or is inside its folder.
func below(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// mountSignIn adds the endpoints of the sign-in at another server.
func (s *Setup) mountSignIn(mux *http.ServeMux) {
	page, callback, backChannel, logout := s.signInPaths()
	mux.Handle(page, httpauth.Serve(s.signIn.SignInEndpoint()))
	mux.Handle(callback+"{provider}", httpauth.Serve(s.signIn.CallbackEndpoint()))
	mux.Handle(backChannel+"{provider}", httpauth.Serve(s.signIn.BackChannelEndpoint()))
	mux.Handle(logout, httpauth.Serve(s.signIn.LogoutEndpoint()))
}

// isCheck reports whether a path is checkPath, or below it.
func isCheck(path string) bool { return below(path, checkPath) }

// serving sets up the service of the section serve.
func (a *assembly) serving() error {
	c := a.config.Serve
	if c == nil {
		return nil
	}
	switch {
	case a.proxies == nil:
		return a.doc.Wrap(errors.New("proxies is missing: it says who may ask, as in proxies: {trusted: 127.0.0.1/32}"), &a.config.Serve)
	case a.made.policy == nil:
		return a.doc.Wrap(errors.New("policy is missing: it says who may do what"), &a.config.Serve)
	}
	gate, err := a.made.guard.Authorize()
	if err != nil {
		return a.doc.Wrap(err, &a.config.Serve)
	}
	opts := options[forwardauth.Option]{forwardauth.WithLogger(a.log)}
	opts.on(c.Preflights, forwardauth.WithPreflights)
	opts.on(c.Semicolons, forwardauth.WithSemicolons)
	if a.made.service, err = forwardauth.New(gate, a.proxies, proxyKinds[c.Proxy], opts...); err != nil {
		return a.doc.Wrap(err, &a.config.Serve)
	}
	if a.made.signIn != nil {
		if err := a.made.checkSignInPaths(); err != nil {
			return a.doc.Wrap(err, &a.config.Session.SignInPage, &a.config.Session.SignIn)
		}
	}
	a.made.address = c.Address
	return nil
}
