package recipes

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/examples/checks/doccheck"
)

// recipe is what a page says of one provider, and what the provider does.
type recipe struct {
	// page is the name of the page; name is the word behind the kind of its
	// blocks, "" on a page with one recipe.
	page, name string
	// scheme is the function of the page, to the letter; nil for none.
	scheme func() (core.Authenticator, error)
	// source is the file of this package that it stands in.
	source string
	// publish puts up the documents of the provider.
	publish func(t *testing.T)
	// header are the members of a token's header beside alg and kid.
	header members
	// id is that of the principal of the token on the page.
	id     string
	errors []firstError
}

// firstError is a row of the page's table of them, and what leads to it.
type firstError struct {
	name string
	// change alters the claims on the page; token makes another token.
	change func(claims members)
	token  func(t *testing.T, header, claims members) string
	// file replaces in the configuration file. Such an error has nothing to do
	// with the function.
	file [2]string
	// status and reason are those of the answer; 0 for an error at the start.
	status int
	reason core.Reason
	// cause stands in the table, and in what the log says.
	cause string
}

// block is the text of the page's block of some kind.
func (rc *recipe) block(t *testing.T, kind ...string) string {
	t.Helper()
	if rc.name != "" {
		kind = append(kind, rc.name)
	}
	var found []string
	for _, b := range rc.read(t).Blocks {
		if slices.Equal(b.Info, kind) {
			found = append(found, b.Text)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks %q, want one", rc.page, len(found), kind)
	}
	return found[0]
}

func (rc *recipe) read(t *testing.T) doccheck.Page {
	t.Helper()
	return readPage(t, rc.page)
}

func readPage(t *testing.T, name string) doccheck.Page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	page, err := doccheck.ParsePage(name, string(text))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// repository and here are absolute, since tests change the folder.
var repository, here = func() (string, string) {
	here, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return filepath.Join(here, "..", "..", ".."), here
}()

// service is a guard that answers whom it has let pass.
type service struct {
	handler http.Handler
	events  *authtest.Recorder
}

// newService guards a resource.
func newService(events *authtest.Recorder, guard *core.Guard) *service {
	handler := httpauth.Authorize(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, httpauth.Principal(r).ID())
	}))
	return &service{handler, events}
}

// fromCode assembles a guard of the page's function and policy.
func (rc *recipe) fromCode(t *testing.T) *service {
	t.Helper()
	scheme, err := rc.scheme()
	if err != nil {
		t.Fatal(err)
	}
	policy, err := casbinrules.Open(rc.model(t), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = policy.Close() })
	events := new(authtest.Recorder)
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(policy), core.WithObserver(events))
	if err != nil {
		t.Fatal(err)
	}
	return newService(events, guard)
}

// model is the one that the file names.
func (rc *recipe) model(t *testing.T) casbinrules.Model {
	t.Helper()
	if strings.Contains(rc.block(t, "yaml", "recipe"), "rbac-tenants") {
		return casbinrules.RBACWithTenants()
	}
	return casbinrules.RBAC()
}

// fromFile opens the page's configuration file, changed as e says.
func (rc *recipe) fromFile(t *testing.T, e firstError) (*service, error) {
	t.Helper()
	text := rc.block(t, "yaml", "recipe")
	if e.file[0] != "" {
		if !strings.Contains(text, e.file[0]) {
			t.Fatalf("the file has no %q:\n%s", e.file[0], text)
		}
		text = strings.Replace(text, e.file[0], e.file[1], 1)
	}
	if err := os.WriteFile("sallyport.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	events := new(authtest.Recorder)
	quiet := setup.WithLogger(slog.New(slog.DiscardHandler))
	s, err := setup.Open("sallyport.yaml", quiet, setup.WithGuard(core.WithObserver(events)))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = s.Close() })
	return newService(events, s.Guard()), nil
}

// policy is the block of a policy, whatever its model.
func (rc *recipe) policy(t *testing.T) string {
	t.Helper()
	for _, b := range rc.read(t).Blocks {
		if b.Language() == "csv" {
			return b.Text
		}
	}
	t.Fatalf("%s has no policy", rc.page)
	return ""
}

// get asks for the reports with a token.
func (s *service) get(t *testing.T, token string) (status int, body string) {
	t.Helper()
	return s.ask(t, "GET", "/reports", "Authorization", "Bearer "+token)
}

// ask sends a request with header fields, each a name and a value, and checks
// that a challenge comes with 401 alone.
func (s *service) ask(t *testing.T, method, target string, header ...string) (status int, body string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	lines := w.Header().Values("WWW-Authenticate")
	if (len(lines) > 0) != (w.Code == http.StatusUnauthorized) {
		t.Errorf("%d with challenges %q", w.Code, lines)
	}
	for _, line := range lines {
		if _, err := challenge.Parse(line); err != nil {
			t.Errorf("challenge %s: %v", line, err)
		}
	}
	return w.Code, w.Body.String()
}

// token is the one on the page, changed as e says.
func (rc *recipe) token(t *testing.T, e firstError) string {
	t.Helper()
	header := members{"alg": "RS256", "kid": kid}
	maps.Copy(header, rc.header)
	claims := fresh(t, rc.block(t, "json", "claims"))
	if e.change != nil {
		e.change(claims)
	}
	if e.token != nil {
		return e.token(t, header, claims)
	}
	return sign(t, header, claims)
}

// follow runs the recipe in an empty folder.
func (rc *recipe) follow(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("policy.csv", []byte(rc.policy(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	rc.publish(t)
	forms := map[string]*service{}
	if rc.scheme != nil {
		checkSource(t, rc.page, rc.source)
		forms["code"] = rc.fromCode(t)
	}
	file, err := rc.fromFile(t, firstError{})
	if err != nil {
		t.Fatal(err)
	}
	forms["file"] = file
	for form, s := range forms {
		if status, body := s.get(t, rc.token(t, firstError{})); status != http.StatusOK || body != rc.id {
			t.Errorf("%s: %d %s, want 200 %s; cause: %v", form, status, body, rc.id, s.events.Last(t).Cause)
		}
	}
	rows := rc.rows(t)
	for _, e := range rc.errors {
		t.Run(e.name, func(t *testing.T) {
			rc.fails(t, e, forms)
			row := slices.IndexFunc(rows, func(row []string) bool { return slices.Equal(row, e.spans()) })
			if row < 0 {
				t.Fatalf("no row of the page begins with %q", e.spans())
			}
			rows = slices.Delete(rows, row, row+1)
		})
	}
	for _, row := range rows {
		t.Errorf("the row of %q is not tried", row)
	}
}

// fails checks that e is what the log says, in each form.
func (rc *recipe) fails(t *testing.T, e firstError, forms map[string]*service) {
	t.Helper()
	if e.file[0] != "" {
		s, err := rc.fromFile(t, e)
		if e.status == 0 {
			if err == nil || !strings.Contains(err.Error(), e.cause) {
				t.Errorf("start: %v does not say %s", err, e.cause)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		forms = map[string]*service{"file": s}
	}
	for form, s := range forms {
		status, body := s.get(t, rc.token(t, e))
		last := s.events.Last(t)
		if status != e.status || last.Reason != e.reason || !strings.Contains(fmt.Sprint(last.Cause), e.cause) {
			t.Errorf("%s: %d %s, want %d %s; cause: %v, want %s; body: %s", form, status, last.Reason, e.status, e.reason, last.Cause, e.cause, body)
		}
	}
}

// spans are the code spans in the first cell of the row.
func (e firstError) spans() []string {
	var spans []string
	if e.status != 0 {
		spans = append(spans, fmt.Sprint(e.status), string(e.reason))
	}
	if e.cause != "" {
		spans = append(spans, e.cause)
	}
	return spans
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// rows are the code spans in the first cell of each row of the first errors.
func (rc *recipe) rows(t *testing.T) [][]string {
	t.Helper()
	heading := "First errors"
	if rc.name != "" {
		heading += ": " + rc.name
	}
	var rows [][]string
	for _, line := range rc.read(t).Section(heading) {
		cells := strings.SplitN(line, " | ", 2)
		if len(cells) < 2 || !strings.HasPrefix(line, "| `") {
			continue
		}
		var spans []string
		for _, m := range codeSpan.FindAllStringSubmatch(cells[0], -1) {
			spans = append(spans, m[1])
		}
		rows = append(rows, spans)
	}
	return rows
}

// checkSource holds the Go of a page to what is run: that of source.
func checkSource(t *testing.T, page, source string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(here, source))
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, b := range readPage(t, page).Blocks {
		if b.Language() != "go" || slices.Contains(b.Info, "shared") {
			continue
		}
		code, _, _ := strings.Cut(b.Text, "\nfunc main() {") // which doccheck compiles
		if strings.HasPrefix(code, "package ") {
			code = code[strings.Index(code, "func "):]
			// Those of all providers have one name, and are one package here.
			code = strings.TrimPrefix(code, "func scheme")
		}
		if shown++; !strings.Contains(string(text), code) {
			t.Errorf("%s:%d: %s does not have this", page, b.Line, source)
		}
	}
	if shown == 0 {
		t.Errorf("%s shows no Go", page)
	}
}

// metadata is that of OpenID Connect Discovery 1.0 §3, as far as it is read.
func metadata(issuer, keys string) members { return members{"issuer": issuer, "jwks_uri": keys} }
