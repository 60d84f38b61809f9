package setup

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
)

var bundleBlocks = regexp.MustCompile("(?ms)^```yaml sallyport-policy-http\n(.*?)^```$")

// TestPolicyFromBundle opens the file on the page with a bundle from a server, and
// what is wrong with such a file is said at its place.
func TestPolicyFromBundle(t *testing.T) {
	signing := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	text := pageText(t, page)
	if want := keyTable(reflect.TypeFor[bundleSettings]()); !strings.Contains(text, want) {
		t.Errorf("%s lacks the table\n%s", page, want)
	}
	block := bundleBlocks.FindStringSubmatch(text)
	if block == nil {
		t.Fatal("the page shows no file")
	}
	data, err := bundle.Encode("default", source.Entry{Revision: 7}, []source.File{
		{Name: "model.conf", Content: []byte(casbinrules.RBAC().Text())}, {Name: "policy.csv", Content: []byte("p, ann, /reports, GET\n")},
	}, signing)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer abc" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(data)
	}))
	defer server.Close()
	t.Setenv("POLICY_AUTHORIZATION", "Bearer abc")
	der, err := x509.MarshalPKIXPublicKey(signing.Public())
	if err != nil {
		t.Fatal(err)
	}
	file := strings.Replace(block[1], "https://policies.example/app.bundle", server.URL, 1)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("users.htpasswd", "ann:$2a$10$KZ5kDTJu4kBdbkvCBVzwJOZGXk7XQFV7nVrv3BtRNIqEuVdvJJ9Hu\n")
	write("bundle.pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	write("none.pub", "")
	write("s.yaml", file)
	s, err := Open(filepath.Join(dir, "s.yaml"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Policy().Version(); v.Revision != "7" || v.Rules != 1 {
		t.Errorf("%+v", v)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for was, is := range map[string]string{
		"[bundle.pub]": "[none.pub]", server.URL: "http://policies.example/x", "set: default": "set: a b", "wait: 30s": "wait: 1ms",
		"max_size: 64MiB": "max_size: 0", "[bundle.pub]\n": "[]\n",
	} {
		write("s.yaml", strings.Replace(file, was, is, 1))
		if s, err := Open(filepath.Join(dir, "s.yaml"), quiet()); err == nil {
			t.Errorf("%s: no error, %v", is, s.Close())
		} else if !strings.Contains(err.Error(), "policy.store.http") {
			t.Errorf("%s: %v", is, err)
		}
	}
}
