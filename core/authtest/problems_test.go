package authtest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/rule"
)

var problemCases = []testCase{
	{"I01 I02 I03 every problem has its media type, status and title", problemMembers},
	{"I04 the title is that of the status, and the detail tells nothing else", problemTexts},
	{"I05 I07 what the challenge says is in members of its own", problemNeeds},
	{"I06 instance is a request ID or nothing", problemInstance},
	{"I07 problems are valid whatever they say", problemsValid},
}

// problemDoors are doors by responder: the guard's default, a format and one for every
// client.
func problemDoors(t testing.TB, f Framework, rules ...core.Authorizer) map[string]*door {
	t.Helper()
	doors := map[string]*door{}
	for name, opts := range map[string][]core.Option{
		"default": nil,
		"problem": {core.WithResponder(respond.Problem())},
		"new":     {answers(t)},
	} {
		g, _ := guard(t, opts...)
		doors[name] = newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: rules})
	}
	return doors
}

var extensionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{2,}$`)

// problemOf checks a by the rules of RFC 9457 and returns its members.
func problemOf(t testing.TB, what string, a Answer) map[string]any {
	t.Helper()
	if got := a.Header.Values("Content-Type"); len(got) != 1 || got[0] != problemType {
		t.Errorf("%s: Content-Type %q", what, got)
	}
	doc, err := strictjson.Decode(a.Body)
	if err != nil || !utf8.ValidString(a.Body) {
		t.Errorf("%s: %v: %q", what, err, a.Body)
		return nil
	}
	if err := checkProblem(doc, a.Status); err != nil {
		t.Errorf("%s: %v: %s", what, err, a.Body)
	}
	return doc
}

// checkProblem says what is wrong with a problem document (RFC 9457 §3).
func checkProblem(doc map[string]any, status int) error {
	for name, value := range doc {
		text, isText := value.(string)
		switch name {
		case "type":
			return fmt.Errorf("type %v, want none", value)
		case "title":
			if text != http.StatusText(status) {
				return fmt.Errorf("title %q of %d", value, status)
			}
		case "status":
			if n, ok := value.(float64); !ok || n != float64(status) {
				return fmt.Errorf("status %v (%T), want the number %d", value, value, status)
			}
		case "instance":
			if _, err := url.Parse(text); err != nil || !isText {
				return fmt.Errorf("instance %v", value)
			}
		case "detail":
			if !isText {
				return fmt.Errorf("detail %v", value)
			}
		default:
			if !extensionName.MatchString(name) {
				return fmt.Errorf("member %q", name)
			}
		}
	}
	for _, name := range []string{"title", "status", "error"} {
		if doc[name] == nil {
			return fmt.Errorf("no %s", name)
		}
	}
	return nil
}

func problemMembers(t *testing.T, f Framework) {
	for name, d := range problemDoors(t, f, only("alice")) {
		for _, accept := range []string{"X-None: 1", "Accept: */*", "Accept: application/json", "Accept: image/png"} {
			for _, r := range refusals {
				a := d.get(accept, r.header)
				doc := problemOf(t, name+", "+r.header, a)
				if a.Status != r.status || doc["error"] == "" {
					t.Errorf("%s, %s: %d %v", name, r.header, a.Status, doc)
				}
			}
		}
	}
	g, _ := guard(t, answers(t))
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: variant(t, g, core.WithConcealment(nil))})
	if a := d.get(); a.Status != http.StatusNotFound || strings.Contains(a.Body, "401") || a.Header.Get("Content-Type") == problemType {
		t.Errorf("I02: hidden %d %q", a.Status, a.Body)
	}
}

// problemTexts: RFC 9457 §3.1.3, §3.1.4. The detail is the same for all who get the same
// refusal, whoever they are and why.
func problemTexts(t *testing.T, f Framework) {
	for name, d := range problemDoors(t, f, secretive()) {
		details := map[string]bool{}
		for _, id := range []string{"bob", "carol", leak} {
			a := d.get(as(id))
			details[fmt.Sprint(problemOf(t, name, a)["detail"])] = true
			if strings.Contains(a.Body, leak) || strings.Contains(a.Body, id) {
				t.Errorf("%s: %s", name, a.Body)
			}
		}
		if len(details) != 1 {
			t.Errorf("%s: details %v", name, details)
		}
	}
}

// problemNeeds: RFC 6750 §3.1, RFC 9470 §3. Body and challenge have the same code, and the
// requirements are members of the body.
func problemNeeds(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{bearerOn(t, signIns{})}, answers(t))
	for _, tt := range []struct {
		rule   core.Authorizer
		token  string
		status int
		code   string
		want   map[string]string
	}{
		{rule.Scope("pay"), "none.1", 403, core.CodeInsufficientScope, map[string]string{"scope": "pay"}},
		{rule.StepUp(10*time.Minute, "gold", "silver"), "bronze.1", 401, core.CodeStepUp, map[string]string{"acr_values": "gold silver", "max_age": "600"}},
		{rule.Scope("pay"), "", 401, core.CodeAuthenticationRequired, nil},
		{rule.Scope("pay"), "gold.x", 503, core.CodeUnavailable, nil},
	} {
		d := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{tt.rule}})
		header := "X-None: 1"
		if tt.token != "" {
			header = "Authorization: Bearer " + tt.token
		}
		a := d.refuses(tt.status, tt.code, header)
		doc := problemOf(t, tt.code, a)
		for _, member := range []string{"scope", "acr_values", "max_age"} {
			got := ""
			if v := doc[member]; v != nil {
				got = fmt.Sprint(v)
			}
			if got != tt.want[member] {
				t.Errorf("%s: %s %q, want %q", tt.code, member, got, tt.want[member])
			}
		}
		cs, err := a.challenges()
		for _, c := range cs {
			if code, ok := c.Param("error"); ok && code != doc["error"] {
				t.Errorf("challenge says %s, body %s", code, doc["error"])
			}
		}
		if err != nil || (tt.want != nil) != strings.Contains(a.Header.Get("WWW-Authenticate"), `error="`+tt.code+`"`) {
			t.Errorf("%s: challenge %q (%v)", tt.code, a.Header.Get("WWW-Authenticate"), err)
		}
		for _, accept := range []string{wantsPage, "Accept: text/plain"} {
			if a := d.get(header, accept); a.Status != tt.status || a.Header.Get("Content-Type") == problemType {
				t.Errorf("%s: %d as %s", accept, a.Status, a.Header.Get("Content-Type"))
			}
		}
	}
}

func problemInstance(t *testing.T, f Framework) {
	g, _ := guard(t, answers(t))
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for id, want := range map[string]any{
		"01JD0RX3Y6": "01JD0RX3Y6", "6ba7b810-9dad-11d1-80b4-00c04fd430c8": "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"": nil, `"},{"a":"`: nil, "../../x": nil, "https://evil.com/": nil, "a b": nil, strings.Repeat("a", 129): nil,
	} {
		a := Send(t, d.addr, Request("GET", "/door?token="+leak, "X-Request-Id: "+id))
		if doc := problemOf(t, id, a); doc["instance"] != want || strings.Contains(a.Body, leak) {
			t.Errorf("%q: instance %v, want %v", id, doc["instance"], want)
		}
	}
	if a := d.get("X-Request-Id: a", "X-Request-Id: b"); problemOf(t, "two", a)["instance"] != nil {
		t.Errorf("one of two: %s", a.Body)
	}
}

// hostile lists messages that have broken documents elsewhere.
var hostile = []string{
	`"},{"`, `\`, "a\r\nSet-Cookie: x=1", "a\x00\x1b[2J", "\xff\xc0\xaf", "</script><script>alert(1)</script>", "\u2028\u2029", "\ufeff", "'--", "{{.}}", "%s%n", "caf\u00e9 \U0001f512",
}

func problemsValid(t *testing.T, f Framework) {
	for _, message := range hostile {
		says := AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) {
			return core.Decision{Code: "plan_required", Message: message}, nil
		})
		for name, d := range problemDoors(t, f, says) {
			a := d.refuses(http.StatusForbidden, "plan_required", as("bob"))
			doc := problemOf(t, name, a)
			if want := strings.ToValidUTF8(message, "\ufffd"); utf8.ValidString(message) && doc["detail"] != want {
				t.Errorf("%s: %q became %q", name, message, doc["detail"])
			}
			if strings.ContainsAny(a.Body, "<>\r\x00\x1b") || a.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %q in %q", name, message, a.Body)
			}
		}
	}
}
