package probe

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

//go:embed testdata/faults.json
var faultsText []byte

// fault is a route that is wrong, and the finding that shows it.
type fault struct {
	Name, Code, Method, Path, As string
	Rules                        []ruleOf
	// Unlisted says that the route is not in the list of routes, and Public that
	// it is one for anybody.
	Unlisted, Public bool
	// Login is the body of a request to sign in there; it is not listed.
	Login string
}

// ruleOf answers requests that it matches in place of a guard. What is empty
// matches everything.
type ruleOf struct {
	Who, URI, Method, Agent, Header string
	// Form is text that the body of the request holds.
	Form string
	// After says how many requests are let off.
	After int
	// Edge says that the proxy in front does it, and not the service.
	Edge   bool
	Status int
	Body   string
	Fields map[string]string
}

func faults(t testing.TB) []fault {
	var all []fault
	if err := json.Unmarshal(faultsText, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// query is what servers show of a request.
type query struct {
	method, uri, body string
	header            func(name string) string
}

// reply is what they answer.
type reply struct {
	status int
	body   string
	fields map[string]string
}

// wrongs are the faults as one service. Behind says that it is the service
// itself, without the proxy that is wrong, too.
type wrongs struct {
	faults []fault
	behind bool
	mu     sync.Mutex
	seen   map[string]int
}

func newWrongs(t testing.TB, behind bool) *wrongs {
	return &wrongs{faults: faults(t), behind: behind, seen: map[string]int{}}
}

// odd is the answer of a rule for a request target as sent, which a middleware in
// front of the router gives.
func (w *wrongs) odd(q query) (reply, bool) {
	for _, f := range w.faults {
		for _, r := range f.Rules {
			if r.URI != "" && r.URI == q.uri && w.matches(f, r, q) {
				return r.reply(), true
			}
		}
	}
	return reply{}, false
}

// at answers for the route of a fault.
func (w *wrongs) at(f fault, q query) reply {
	for _, r := range f.Rules {
		if r.URI == "" && w.matches(f, r, q) {
			return r.reply()
		}
	}
	switch who(q) {
	case "erin":
		return reply{200, "here", nil}
	case "victor":
		return reply{403, `{"error":"forbidden"}`, map[string]string{"Cache-Control": "no-store"}}
	}
	return reply{401, `{"error":"sign_in"}`, map[string]string{"Cache-Control": "no-store", "WWW-Authenticate": `Bearer realm="api"`}}
}

func (w *wrongs) matches(f fault, r ruleOf, q query) bool {
	is := who(q)
	switch {
	case r.Who != "" && r.Who != is && !(r.Who == "jwt" && is == "unsigned") && !(r.Who == "basic" && is == "basic-erin"),
		r.Method != "" && r.Method != q.method,
		r.Agent != "" && !strings.Contains(q.header("User-Agent"), r.Agent),
		r.Header != "" && q.header(r.Header) == "",
		!strings.Contains(q.body, r.Form),
		r.Edge && w.behind:
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[f.Name]++
	return w.seen[f.Name] > r.After
}

func (r ruleOf) reply() reply {
	fields := map[string]string{}
	if r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden {
		fields["Cache-Control"] = "no-store"
	}
	if r.Status == http.StatusUnauthorized {
		fields["WWW-Authenticate"] = `Bearer realm="api"`
	}
	for name, value := range r.Fields {
		if fields[name] = value; value == "" {
			delete(fields, name)
		}
	}
	return reply{r.Status, r.Body, fields}
}

// who is what the credentials are.
func who(q query) string {
	scheme, rest, _ := strings.Cut(q.header("Authorization"), " ")
	switch {
	case q.header("Cookie") == "session=erin-secret":
		return "erin"
	case scheme == "":
		return "anonymous"
	case scheme == "Basic" && strings.HasPrefix(rest, "ZXJpbj"):
		return "basic-erin"
	case scheme == "Basic":
		return "basic"
	case rest == "erin-secret":
		return "erin"
	case rest == "victor-secret":
		return "victor"
	case strings.HasPrefix(rest, "ey") && strings.HasSuffix(rest, "."):
		return "unsigned"
	case strings.HasPrefix(rest, "ey"):
		return "jwt"
	}
	return "malformed"
}

// limit is how long one run may take.
const limit = 5 * time.Minute
