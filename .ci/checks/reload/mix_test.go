package reload_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	fiber2 "github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/echoauth"
	echo5auth "github.com/sallyport-go/sallyport/echoauth/echov5"
	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	fiber2auth "github.com/sallyport-go/sallyport/fiberauth"
	fiber3auth "github.com/sallyport-go/sallyport/fiberauth/fiberv3"
	"github.com/sallyport-go/sallyport/ginauth"
)

// The two configurations share their keys.
const outer = `realm: rooms
bearer: {issuer: 'https://idp.example', audience: rooms, jwks: jwks.json, revocations: revoked.txt}
session: {plain_http_for_development: true}
policy: {model: rbac, files: outer.csv}
`

const inner = `realm: desks
bearer: {issuer: 'https://idp.example', audience: rooms, jwks: jwks.json}
policy: {model: rbac, files: inner.csv}
`

// The parts of a state that change by themselves: which keys are valid, whose tokens are
// revoked, which of two policies is in force at the gate, and which in the handler.
const (
	keysPart = iota
	revokedPart
	outerPart
	innerPart
	parts
)

// values are those of each part, and the file that has them.
var values = [parts]struct {
	file string
	of   []string
}{
	{"jwks.json", []string{"a", "b", "ab"}},
	{"revoked.txt", []string{"", "ann", "ann bob"}},
	{"outer.csv", []string{straight, crossed}},
	{"inner.csv", []string{straight, crossed}},
}

// history is all values that a part has had. Those from lo on may be in force.
type history struct {
	mu  sync.Mutex
	all []string
	lo  int
}

// begin returns where the values begin that may be in force.
func (h *history) begin() (lo int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lo
}

// since returns the values that may have been in force since lo.
func (h *history) since(lo int) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all[lo:])
}

// next adds a value that is about to be in force, and settled says that it is.
func (h *history) next(value string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, value)
}

func (h *history) settled() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lo = len(h.all) - 1
}

// mix is services whose files are edited, and what clients have seen of them.
type mix struct {
	dir       string
	histories [parts]history
	inner     *setup.Setup // of the guard that handlers ask
	answers   atomic.Int64
	streams   atomic.Int64
}

var issuers = map[string]ed25519.PrivateKey{
	"a": ed25519.NewKeyFromSeed([]byte(strings.Repeat("a", 32))), "b": ed25519.NewKeyFromSeed([]byte(strings.Repeat("b", 32))),
}

// text is the content of the file of a part.
func text(part int, value string) string {
	switch part {
	case keysPart:
		var keys []any
		for _, kid := range strings.Split(value, "") {
			keys = append(keys, map[string]any{"kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA", "x": base64.RawURLEncoding.EncodeToString(issuers[kid].Public().(ed25519.PublicKey))})
		}
		out, _ := json.Marshal(map[string]any{"keys": keys})
		return string(out)
	case revokedPart:
		all := "# revoked\n"
		for _, who := range strings.Fields(value) {
			all += "jti " + who + "\n"
		}
		return all
	}
	return value
}

func tokenOf(kid, who string) string {
	part := func(v any) string { out, _ := json.Marshal(v); return base64.RawURLEncoding.EncodeToString(out) }
	signed := part(map[string]any{"alg": "EdDSA", "kid": kid}) + "." + part(map[string]any{
		"iss": "https://idp.example", "aud": "rooms", "sub": who, "jti": who, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
	})
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(issuers[kid], []byte(signed)))
}

func (m *mix) write(t *testing.T, part int, value string) {
	path := filepath.Join(m.dir, values[part].file)
	if err := os.WriteFile(path+".new", []byte(text(part, value)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func allows(policy, who, room string) bool {
	switch room {
	case "/left":
		return who == "ann"
	case "/right":
		return who == "bob"
	}
	return who == "ann" && policy == straight || who == "bob" && policy == crossed
}

// may returns the answers that are right for somebody with a token.
func (m *mix) may(lo [parts]int, kid, who, room string, session bool) map[int]bool {
	all := map[int]bool{}
	var since [parts][]string
	for i := range since {
		since[i] = m.histories[i].since(lo[i])
	}
	for _, k := range since[keysPart] {
		for _, r := range since[revokedPart] {
			switch {
			case !session && (!strings.Contains(k, kid) || slices.Contains(strings.Fields(r), who)):
				all[401] = true
				continue
			}
			for _, p := range since[outerPart] {
				if !allows(p, who, room) {
					all[403] = true
					continue
				}
				for _, k := range since[keysPart] {
					if session || !strings.Contains(k, kid) {
						all[401] = true
						continue
					}
					for _, p := range since[innerPart] {
						if allows(p, who, room) {
							all[200] = true
						} else {
							all[403] = true
						}
					}
				}
			}
		}
	}
	return all
}

func (m *mix) begin() (lo [parts]int) {
	for i := range lo {
		lo[i] = m.histories[i].begin()
	}
	return lo
}

func (m *mix) open(t *testing.T, opts ...setup.Option) *setup.Setup {
	s, err := setup.Open(filepath.Join(m.dir, "outer.yaml"), append(opts, setup.WithLogger(slog.New(slog.DiscardHandler)), setup.WithGuard(core.WithRecheck()))...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stream writes until the request is no longer good.
func stream(ctx context.Context, w io.Writer, flush func() error) {
	good, cancel := core.ContextWhileGood(ctx, 10*time.Millisecond, time.Minute)
	defer cancel()
	end := time.After(300 * time.Millisecond)
	for {
		select {
		case <-good.Done():
			_, _ = fmt.Fprintf(w, "over %d\n", core.CloseCode(good))
			_ = flush()
			return
		case <-end:
			_, _ = fmt.Fprint(w, "over 0\n")
			_ = flush()
			return
		case <-time.After(5 * time.Millisecond):
		}
		if _, err := fmt.Fprint(w, "data\n"); err != nil || flush() != nil {
			return
		}
	}
}

func (m *mix) endpoints(s *setup.Setup) (login, logout core.Endpoint) {
	return func(ctx context.Context, r core.Request) core.Response {
		who, _ := r.Header("X-User")
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: strings.Clone(who)})
		if err != nil {
			return core.Response{Status: 500}
		}
		fields, err := s.Sessions().Login(ctx, r, p)
		if err != nil {
			return core.Response{Status: 500}
		}
		return core.Response{Status: 204, Fields: fields}
	}, s.Sessions().LogoutEndpoint()
}

func (m *mix) netHTTP(s *setup.Setup) http.Handler {
	mux := http.NewServeMux()
	in, out := m.endpoints(s)
	mux.Handle("POST /login", httpauth.Serve(in))
	mux.Handle("POST /logout", httpauth.Serve(out))
	mux.Handle("GET /{room}", httpauth.Authorize(s.Guard())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Stream") != "" {
			stream(r.Context(), w, http.NewResponseController(w).Flush)
			return
		}
		if httpauth.Check(w, r, m.inner.Guard(), m.inner.Policy()) == nil {
			w.WriteHeader(200)
		}
	})))
	return mux
}

func (m *mix) servers(t *testing.T, s *setup.Setup) []server {
	in, out := m.endpoints(s)
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.POST("/login", ginauth.Serve(in))
	g.POST("/logout", ginauth.Serve(out))
	g.GET("/:room", ginauth.Authorize(s.Guard()), func(c *gin.Context) {
		if c.GetHeader("X-Stream") != "" {
			stream(c.Request.Context(), c.Writer, func() error { c.Writer.Flush(); return nil })
			return
		}
		if ginauth.Check(c, m.inner.Guard(), m.inner.Policy()) == nil {
			c.Status(200)
		}
	})
	e := echo.New()
	e.POST("/login", echoauth.Serve(in))
	e.POST("/logout", echoauth.Serve(out))
	e.GET("/:room", func(c echo.Context) error {
		if c.Request().Header.Get("X-Stream") != "" {
			stream(c.Request().Context(), c.Response(), func() error { c.Response().Flush(); return nil })
			return nil
		}
		if err := echoauth.Check(c, m.inner.Guard(), m.inner.Policy()); err != nil {
			return err
		}
		return c.NoContent(200)
	}, echoauth.Authorize(s.Guard()))
	e5 := echo5.New()
	e5.POST("/login", echo5auth.Serve(in))
	e5.POST("/logout", echo5auth.Serve(out))
	e5.GET("/:room", func(c *echo5.Context) error {
		if c.Request().Header.Get("X-Stream") != "" {
			stream(c.Request().Context(), c.Response(), http.NewResponseController(c.Response()).Flush)
			return nil
		}
		if err := echo5auth.Check(c, m.inner.Guard(), m.inner.Policy()); err != nil {
			return err
		}
		return c.NoContent(200)
	}, echo5auth.Authorize(s.Guard()))
	f2 := fiber2.New(fiber2.Config{DisableStartupMessage: true})
	f2.Post("/login", fiber2auth.Serve(in))
	f2.Post("/logout", fiber2auth.Serve(out))
	f2.Get("/:room", fiber2auth.Authorize(s.Guard()), func(c *fiber2.Ctx) error {
		if c.Get("X-Stream") != "" {
			ctx := c.UserContext()
			c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { stream(ctx, w, w.Flush) })
			return nil
		}
		if err := fiber2auth.Check(c, m.inner.Guard(), m.inner.Policy()); err != nil {
			return err
		}
		return c.SendStatus(200)
	})
	f3 := fiber.New()
	f3.Post("/login", fiber3auth.Serve(in))
	f3.Post("/logout", fiber3auth.Serve(out))
	f3.Get("/:room", fiber3auth.Authorize(s.Guard()), func(c fiber.Ctx) error {
		if c.Get("X-Stream") != "" {
			ctx := c.Context()
			c.RequestCtx().SetBodyStreamWriter(func(w *bufio.Writer) { stream(ctx, w, w.Flush) })
			return nil
		}
		if err := fiber3auth.Check(c, m.inner.Guard(), m.inner.Policy()); err != nil {
			return err
		}
		return c.SendStatus(200)
	})
	return []server{
		{"gin", serve(t, g)}, {"echo", serve(t, e)}, {"echo5", serve(t, e5)}, {"net/http", serve(t, m.netHTTP(s))},
		{"fiber", "http://" + serving.Start(t, f2.Listener, f2.ShutdownWithTimeout)}, {"fiber3", "http://" + serving.Fiber3(t, f3)},
	}
}

func (m *mix) client(t *testing.T, stop <-chan struct{}, s server, d *rand.Rand, sessions bool) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	pick := func(of ...string) string { return of[d.IntN(len(of))] }
	do := func(method, path string, fields ...string) (int, *http.Response) {
		r, _ := http.NewRequest(method, s.url+path, nil)
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			return 0, nil
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(strings.NewReader(string(body)))
		m.answers.Add(1)
		return resp.StatusCode, resp
	}
	for {
		select {
		case <-stop:
			return
		default:
		}
		who, room, kid := pick("ann", "bob", "eve"), pick("/left", "/right", "/hall"), pick("a", "b")
		if sessions && d.IntN(4) == 0 {
			got, resp := do("POST", "/login", "X-User", who)
			if got != 204 || len(resp.Cookies()) != 1 {
				t.Errorf("%s: login %d", s.name, got)
				return
			}
			cookie := resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
			for range 3 {
				room := pick("/left", "/right", "/hall")
				lo := m.begin()
				got, _ := do("GET", room, "Cookie", cookie)
				if may := m.may(lo, "", who, room, true); !may[got] {
					t.Errorf("%s: %s with a session in %s: %d, want %v", s.name, who, room, got, may)
				}
			}
			if got, _ := do("POST", "/logout", "Cookie", cookie); got >= 400 {
				t.Errorf("%s: logout %d", s.name, got)
			}
			if got, _ := do("GET", "/left", "Cookie", cookie); got != 401 {
				t.Errorf("%s: %s is still in after the logout: %d", s.name, who, got)
			}
			continue
		}
		lo := m.begin()
		if d.IntN(5) == 0 {
			got, resp := do("GET", room, "Authorization", "Bearer "+tokenOf(kid, who), "X-Stream", "1")
			if resp == nil || got != 200 {
				continue
			}
			m.streams.Add(1)
			body, _ := io.ReadAll(resp.Body)
			_, code, _ := strings.Cut(string(body), "over ")
			bad := func(part int, is func(string) bool) bool {
				return slices.ContainsFunc(m.histories[part].since(lo[part]), is)
			}
			switch code = strings.TrimSpace(code); {
			case code == "0":
			case code == "4401" && (bad(keysPart, func(k string) bool { return !strings.Contains(k, kid) }) || bad(revokedPart, func(r string) bool { return strings.Contains(r, who) })):
			case code == "4403" && bad(outerPart, func(p string) bool { return !allows(p, who, room) }):
			default:
				t.Errorf("%s: a stream of %s ended with %q", s.name, who, code)
			}
			continue
		}
		got, _ := do("GET", room, "Authorization", "Bearer "+tokenOf(kid, who))
		if may := m.may(lo, kid, who, room, false); !may[got] {
			t.Errorf("%s: %s with key %s in %s: %d, want %v", s.name, who, kid, room, got, may)
		}
	}
}

// TestMix changes keys, revocations, two policies and the setup itself while clients of all
// frameworks use tokens, sessions and streams: each answer is right by what was in force
// between its request and itself.
func TestMix(t *testing.T) {
	m := &mix{dir: t.TempDir()}
	for i := range parts {
		m.histories[i].all = []string{values[i].of[0]}
		m.write(t, i, values[i].of[0])
	}
	for name, s := range map[string]string{"outer.yaml": outer, "inner.yaml": inner} {
		if err := os.WriteFile(filepath.Join(m.dir, name), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := m.open(t)
	var err error
	if m.inner, err = setup.Open(filepath.Join(m.dir, "inner.yaml"), setup.WithLogger(slog.New(slog.DiscardHandler))); err != nil {
		t.Fatal(err)
	}
	all := m.servers(t, first)
	current := m.open(t, setup.WithPredecessor(first))
	handler := atomic.Pointer[http.Handler]{}
	set := func(s *setup.Setup) { h := m.netHTTP(s); handler.Store(&h) }
	set(current)
	swapped := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	defer swapped.Close()

	seed := authtest.Seed(t)
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for i, s := range all {
		for n := range 2 {
			clients.Go(func() { m.client(t, stop, s, rand.New(rand.NewPCG(uint64(seed), uint64(10*i+n))), true) })
		}
	}
	for n := range 2 {
		clients.Go(func() {
			m.client(t, stop, server{"swapped", swapped.URL}, rand.New(rand.NewPCG(uint64(seed), uint64(100+n))), false)
		})
	}
	d := rand.New(rand.NewPCG(uint64(seed), 1))
	var old []*setup.Setup
	for range 150 {
		if d.IntN(8) == 0 {
			next := m.open(t, setup.WithPredecessor(current))
			old = append(old, current)
			set(next)
			current = next
			if len(old) > 2 {
				if err := old[0].Close(); err != nil {
					t.Error(err)
				}
				old = old[1:]
			}
			continue
		}
		var edited []int
		for range 1 + d.IntN(2) {
			part := d.IntN(parts)
			edited = append(edited, part)
			of := values[part].of
			value := of[d.IntN(len(of))]
			m.histories[part].next(value)
			m.write(t, part, value)
		}
		var reloads sync.WaitGroup
		for _, s := range []*setup.Setup{first, current, m.inner} {
			for range 1 + d.IntN(2) {
				reloads.Go(func() {
					if err := s.Reload(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
		reloads.Wait()
		for _, part := range edited {
			m.histories[part].settled()
		}
		time.Sleep(time.Duration(d.IntN(40)) * time.Millisecond)
	}
	close(stop)
	clients.Wait()
	for _, s := range append(old, current, m.inner, first) {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d answers, %d streams", m.answers.Load(), m.streams.Load())
}
