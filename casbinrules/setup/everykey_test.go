package setup

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// effect is a file with two values of a key, and what makes them differ.
type effect struct {
	// file has %s in the place of the value. It stands in a folder with more files
	// than those of testdata, see [effectFiles].
	file, a, b string
	// see is what is seen of the setup, or a request as [see] makes one.
	see look
	// only is what is seen with a alone, for values that could be taken one for the other.
	only string
	// test is the test that shows the effect, in the place of all that is above: in
	// this folder, or in the one below it that stands in front of a slash.
	test string
	// unseen says why none is seen without waiting: the test of the option that the
	// key sets, in the package of that option, shows it.
	unseen string
}

// look is what is seen of a setup whose file is in the folder dir.
type look func(t *testing.T, s *Setup, dir string) string

// TestEveryKeyHasAnEffect goes through the keys of the schema: with another value of
// a key something else is seen, here or in the test that is named.
func TestEveryKeyHasAnEffect(t *testing.T) {
	t.Parallel()
	all := keyPaths("", reflect.TypeFor[config]())
	for _, extra := range slices.Sorted(maps.Keys(effects)) {
		if !slices.Contains(all, extra) {
			t.Errorf("there is no key %s", extra)
		}
	}
	for _, path := range all {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			e, ok := effects[path]
			switch {
			case !ok:
				t.Error("nothing shows what another value of this key changes: add it to the effects")
			case e.unseen != "":
			case e.test != "":
				wantsTestOf(t, path, e.test)
			default:
				e.check(t)
			}
		})
	}
}

// keyPaths are the keys of a section and those below it, with dots. The keys of a
// list of sections are those of one of them.
func keyPaths(section string, of reflect.Type) []string {
	var all []string
	for _, k := range decode.Describe(of) {
		path := strings.TrimPrefix(section+"."+k.Name, ".")
		switch {
		case path == "bearer.issuers":
			all = append(all, path) // those of one are below bearer
		case k.Section != nil:
			all = append(all, keyPaths(path, k.Section)...)
		default:
			all = append(all, path)
		}
	}
	return all
}

// wantsTestOf fails unless there is the test, and says the key. Those of other
// folders take the keys from the files of docs/configuration.md.
func wantsTestOf(t *testing.T, path, name string) {
	dir, test, ok := strings.Cut(name, "/")
	if !ok {
		dir, test = ".", name
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	key := path[strings.LastIndex(path, ".")+1:]
	for _, file := range files {
		text := pageText(t, file)
		if _, body, ok := strings.Cut(text, "\nfunc "+test+"(t *testing.T) {\n"); ok {
			body, _, _ = strings.Cut(body, "\n}\n")
			if dir == "." && !regexp.MustCompile(`\b`+key+`:`).MatchString(body) {
				t.Errorf("%s in %s does not say %s", test, file, key)
			}
			return
		}
	}
	t.Errorf("there is no %s in the folder %s", test, dir)
}

// check fails when the same is seen with both values.
func (e effect) check(t *testing.T) {
	see := e.see
	if see == nil {
		see = asking("GET", "/reports", bearerOf(token(t, "erin", nil))...)
	}
	issuer := ""
	if strings.Contains(e.file+e.a, "ISSUER") {
		issuer = echoes(t)
	}
	seen := func(value string) string {
		text := strings.NewReplacer("ISSUER", "'"+issuer+"'", ", %s", "").Replace(strings.Replace(e.file, "%s", value, 1))
		if !strings.Contains(text, "watch: ") {
			text += "watch: false\n" // so that it takes less time
		}
		path := filepath.Join(t.TempDir(), "sallyport.yaml")
		write(t, path, text)
		for name, content := range effectFiles() {
			if strings.Contains(text, name) {
				write(t, filepath.Join(filepath.Dir(path), name), content)
			}
		}
		s, err := Open(path, quiet(), WithGuard(core.WithObserver(core.ObserverFunc(noteEvent))))
		if err != nil {
			return "error: " + strings.ReplaceAll(err.Error(), filepath.Dir(path), "")
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		return see(t, s, filepath.Dir(path))
	}
	if a, b := seen(e.a), seen(e.b); a == b {
		t.Errorf("with %q and with %q the same is seen:\n%s", e.a, e.b, a)
	} else if strings.HasPrefix(a, "error: ") && strings.HasPrefix(b, "error: ") {
		t.Errorf("neither value is taken: %s\n%s", a, b)
	} else if e.only != "" && (!strings.Contains(a, e.only) || strings.Contains(b, e.only)) {
		t.Errorf("%q is not seen with %q alone:\n%s\n%s", e.only, e.a, a, b)
	}
}

// eventKey is the context key of what is noted of the event of a request.
type eventKey struct{}

// noteEvent notes an event where the request's context says.
func noteEvent(ctx context.Context, e core.Event) {
	if to, ok := ctx.Value(eventKey{}).(*string); ok {
		*to = fmt.Sprint(e.Outcome, e.Reason, e.PrincipalID, e.ClientAddr())
	}
}

// random are values of answers that differ with each.
var random = regexp.MustCompile(`(nonce|opaque)="[^"]*"`)

// answerTo is what becomes of a request: the answer, what is observed, and who gets
// through.
func answerTo(s *Setup, r *http.Request) string {
	var noted string
	r = r.WithContext(context.WithValue(r.Context(), eventKey{}, &noted))
	w := httptest.NewRecorder()
	httpauth.Authorize(s.Guard())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := httpauth.Principal(r); p != nil {
			_, _ = fmt.Fprint(w, p.ID(), slices.Collect(p.Roles()), slices.Collect(p.Scopes()), p.Tenant())
		}
	})).ServeHTTP(w, r)
	return random.ReplaceAllString(fmt.Sprint(w.Code, w.Header(), w.Body, noted), "")
}

// asking is what becomes of a request from 192.0.2.1 with header fields.
func asking(method, path string, fields ...string) look {
	return func(_ *testing.T, s *Setup, _ string) string { return answerTo(s, requestOf(method, path, fields...)) }
}

func requestOf(method, path string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// askingWith is what becomes of a request with a token.
func askingWith(user string, claims map[string]any) look {
	return func(t *testing.T, s *Setup, _ string) string {
		return answerTo(s, requestOf("GET", "/reports", bearerOf(token(t, user, claims))...))
	}
}
