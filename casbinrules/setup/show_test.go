package setup

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
)

// TestShow fills in defaults and tells no secret.
func TestShow(t *testing.T) {
	t.Setenv("REALM", "reports")
	t.Setenv("NONCE_KEY", "0123456789abcdef0123456789abcdef")
	path := configFile(t, `
basic: {htpasswd: users.htpasswd}
realm: ${REALM} of us
digest:
  htdigest: users.htdigest
  nonce_key: ${NONCE_KEY}
log: {pseudonym_key: {file: names.key}}
observers: [counter: {}]
policy: {model: rbac, files: policy.csv, attribute_types: {age: "number", "12": ip}}
`)
	got, err := Show(path)
	if err != nil {
		t.Fatal(err)
	}
	const want = `basic:
  htpasswd: users.htpasswd
  cache_ttl: 1m # default
realm: ${REALM} of us
digest:
  htdigest: users.htdigest
  nonce_key: ${NONCE_KEY}
  nonce_lifetime: 5m # default
  max_nonces: 65536 # default
log:
  pseudonym_key: {file: names.key}
  format: text # default
  level: info # default
observers:
- counter:
    prefix: access # default
policy:
  model: rbac
  files:
  - policy.csv
  attribute_types:
    '12': ip
    age: number
  token_roles: true # default
watch: true # default
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestShowIsRead: what Show returns is the same configuration.
func TestShowIsRead(t *testing.T) {
	for name, value := range variables {
		t.Setenv(name, value)
	}
	for _, block := range blocks.FindAllStringSubmatch(pageText(t, page), -1) {
		path := configFile(t, block[1])
		first, _, err := read(path, []byte(block[1]))
		if err != nil {
			t.Fatal(err)
		}
		shown, err := Show(path)
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := read(path, shown)
		if err != nil {
			t.Fatalf("%v\n%s", err, shown)
		}
		if !reflect.DeepEqual(first, second) {
			t.Errorf("another configuration:\n%s\nof\n%s", shown, block[1])
		}
		write(t, path, string(shown))
		again, err := Show(path)
		if err != nil || strings.ReplaceAll(string(again), " # default", "") != strings.ReplaceAll(string(shown), " # default", "") {
			t.Errorf("shown again (%v):\n%s\nof\n%s", err, again, shown)
		}
	}
}

// TestSchema: the schema has every key, and the kinds.
func TestSchema(t *testing.T) {
	t.Parallel()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	var check func(schema any, of reflect.Type)
	check = func(schema any, of reflect.Type) {
		object := schema.(map[string]any)
		if items, ok := object["items"]; ok {
			object = items.(map[string]any)
		}
		properties := object["properties"].(map[string]any)
		all := decode.Describe(of)
		if len(properties) != len(all) || object["additionalProperties"] != false {
			t.Errorf("%d properties of %v, want %d", len(properties), of, len(all))
		}
		required, _ := object["required"].([]any)
		for _, k := range all {
			p := properties[k.Name].(map[string]any)
			if p["description"] != k.Doc {
				t.Errorf("%s: description %v", k.Name, p["description"])
			}
			if k.Required != slices.Contains(required, any(k.Name)) {
				t.Errorf("%s: required %v", k.Name, required)
			}
			if k.Section != nil {
				check(p, k.Section)
			}
		}
	}
	check(got, reflect.TypeFor[config]())
	if !strings.Contains(string(text), `"counter": {`) {
		t.Error("the schema lacks the kind counter")
	}
}

// TestShowErrors are those of the file.
func TestShowErrors(t *testing.T) {
	t.Parallel()
	if _, err := Show(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	if _, err := Show(configFile(t, "relm: a\n")); err == nil || !strings.Contains(err.Error(), ":1:1: ") {
		t.Errorf("%v", err)
	}
}
