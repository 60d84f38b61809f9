package setup_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
)

// TestParsePolicy reads a policy whose files are not there, from a file whose
// other sections need what is not there either.
func TestParsePolicy(t *testing.T) {
	const text = `realm: ${SALLYPORT_TEST_NO_SUCH_VARIABLE}
policy: # of reports
  model: rbac-deny
  files: [a.csv, more]
  anonymous: true
  token_roles: false
  role_prefix: "role:"
  default_role: reader
  attribute_types: {age: number}
  role_patterns: {g: keyMatch}
  tenant_patterns: [g2]

requests: {encoded_slashes: true}
bearer:
  issuer: ${SALLYPORT_TEST_NO_SUCH_VARIABLE}
`
	got, err := setup.ParsePolicy("conf/sallyport.yaml", []byte(text))
	want := setup.Policy{
		Model: "rbac-deny", Files: []string{filepath.Join("conf", "a.csv"), filepath.Join("conf", "more")}, Anonymous: true,
		RolePrefix: "role:", DefaultRole: "reader", AttributeTypes: map[string]string{"age": "number"},
		RolePatterns: map[string]string{"g": "keyMatch"}, TenantPatterns: []string{"g2"}, EncodedSlashes: true,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	for _, model := range []string{"model.conf", "../model.conf"} {
		got, err := setup.ParsePolicy("conf/x.yaml", []byte("policy: {model: "+model+", files: p.csv}\n"))
		if err != nil || got.Model != filepath.Join("conf", model) || !got.TokenRoles {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

// TestParsePolicyInAnyStyle: the section is cut out of what the file says, and not of
// its lines.
func TestParsePolicyInAnyStyle(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"{realm: x, policy: {model: rbac, files: [p.csv]}, other: \"${NO_SUCH_VARIABLE}\"}\n",
		"{policy: {model: rbac,\n files: [p.csv]}, other: {policy: 1}}\n",
		"other: &files [p.csv]\nmore: *files\npolicy:\n  model: rbac\n  files: [p.csv]\n", "&all {other: &a x, policy: {model: rbac, files: [p.csv]}, more: *a}\n",
		"{\"policy\": {\"model\": \"rbac\", \"files\": \"p.csv\"}}\n",
		"? policy\n: model: rbac\n  files: p.csv\nother: 1\n",
	} {
		got, err := setup.ParsePolicy("conf/x.yaml", []byte(text))
		if err != nil || got.Model != "rbac" || len(got.Files) != 1 || got.Files[0] != "conf/p.csv" {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// TestParsePolicyInAStore: the options count, and nothing that the store needs.
func TestParsePolicyInAStore(t *testing.T) {
	t.Parallel()
	got, err := setup.ParsePolicy("conf/x.yaml", []byte("policy:\n  model: model.conf\n  store:\n    postgres: {url: \"${SALLYPORT_TEST_NO_SUCH_VARIABLE}\"}\n  anonymous: true\n"))
	if want := (setup.Policy{Model: "model.conf", Store: "postgres", Anonymous: true, TokenRoles: true}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParsePolicySaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"realm: r\n": "x.yaml has no policy",
		"realm: r\npolicy:\n  modell: rbac\n  files: p.csv\n":                   "x.yaml:3:3: policy: unknown key",
		"realm: r\npolicy:\n  model: rbac\nwatch: true\n":                       "names no files",
		"realm: r\npolicy:\nwatch: true\n":                                      "x.yaml:2:",
		"policy: [\n":                                                           "x.yaml:",
		"policy:\n  model: rbac\n  files: ${SALLYPORT_TEST_NO_SUCH_VARIABLE}\n": "x.yaml:3:",
		"- policy\n": "x.yaml has no policy",
	} {
		_, err := setup.ParsePolicy("x.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(want, "no policy") != errors.Is(err, setup.ErrNoPolicy) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
		if _, ok := errors.AsType[setup.Errors](err); strings.HasPrefix(want, "x.yaml:") && !ok {
			t.Errorf("%q: %T", text, err)
		}
	}
}
