package stores

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// keyPair writes the files NAME.key and NAME.pub.
func keyPair(t *testing.T, dir, name string) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	save := func(suffix, kind string, der []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+suffix), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	save(".key", "PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(pub)
	save(".pub", "PUBLIC KEY", der, err)
}

// TestBundle publishes to a bundle in a file, and reads it from there and from a server.
func TestBundle(t *testing.T) {
	t.Setenv(storeVariable, "")
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy})
	keyPair(t, dir, "old")
	keyPair(t, dir, "new")
	keyPair(t, dir, "other")
	file, trust := "file:"+filepath.Join(dir, "www", "policy.bundle"), "DIR/old.pub"
	if err := os.Mkdir(filepath.Join(dir, "www"), 0o755); err != nil {
		t.Fatal(err)
	}
	push := func(code int, parts, message string, more ...string) {
		t.Helper()
		wants(t, dir, code, parts, append([]string{"push", "-p", "DIR/policy.csv", "--author", "ann", "-M", message, "--store", file}, more...)...)
	}
	push(2, "give --public-key FILE, or --key FILE to publish", "x")
	push(2, "there is no private key to sign with", "x", "--public-key", trust)
	push(2, "there is no file", "x", "--key", "DIR/none.key")
	push(2, "old.pub: bundle: want one PEM block PRIVATE KEY", "x", "--key", trust)
	push(0, "published revision 1 by ann", "begin", "--key", "DIR/old.key")
	edit(t, dir, "policy.csv", "p, viewer\n")
	push(1, "no instance would load the policy", "x", "--key", "DIR/old.key")
	edit(t, dir, "policy.csv", policy+"p, editor, /reports, POST\n")
	push(2, "no trusted key has signed this bundle", "x", "--key", "DIR/other.key")
	push(0, "published revision 2 by ann", "add", "--key", "DIR/old.key", "--key", "DIR/new.key")
	wants(t, dir, 0, "2  |add|1  |begin", "history", "--store", file, "--public-key", trust)
	expect(t, dir, "", exitOK, "[]\n", "", "history", "--before", "1", "--format", "json", "--store", file, "--public-key", trust)
	wants(t, dir, 0, "published revision 3 by ann", "rollback", "1", "--author", "ann", "--store", file, "--key", "DIR/new.key", "--public-key", trust)

	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "www"))))
	defer server.Close()
	address := server.URL + "/policy.bundle"
	at := func(code int, parts string, args ...string) {
		t.Helper()
		wants(t, dir, code, parts, append(args, "--store", address, "--public-key", "DIR/new.pub")...)
	}
	at(0, "3  |ann|restores revision 1", "history")
	at(0, "3  |model.conf|policy.csv", "show", "3")
	at(2, "revision 2: the store has no such revision: the server shows the newest one, 3", "show", "2")
	at(1, "made from revision 2, and others have published", "status", "DIR")
	wants(t, dir, 2, "nothing is published over HTTP", "push", "-p", "DIR/policy.csv", "--author", "ann", "--base", "3", "--store", address, "--key", "DIR/new.key", "--force")
	other := t.TempDir()
	wants(t, other, 0, "revision 3, 2 files", "pull", "DIR", "--store", address, "--public-key", filepath.Join(dir, "new.pub"))
	if text, err := os.ReadFile(filepath.Join(other, "policy.csv")); err != nil || string(text) != policy {
		t.Errorf("%q, %v", text, err)
	}
	wants(t, dir, 2, "no trusted key has signed this bundle", "pull", "DIR", "--force", "--store", address, "--public-key", "DIR/other.pub")
	wants(t, dir, 2, "is not https", "status", "--store", "http://policies.example/x", "--public-key", trust)
	push(2, `--expires "tomorrow" is neither a duration`, "x", "--key", "DIR/new.key", "--base", "3", "--force", "--expires", "tomorrow")
	push(0, "published revision 4 by ann", "ends", "--key", "DIR/new.key", "--base", "3", "--force", "--expires", "1h")
	text, err := os.ReadFile(filepath.Join(dir, "www", "policy.bundle"))
	if err != nil || !bytes.Contains(text, []byte(`"expires":"`)) {
		t.Errorf("%.300q, %v", text, err)
	}
	stale := filepath.Join(dir, "www", "policy.bundle.history", "3")
	if text, err = os.ReadFile(stale); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "www/old.bundle", string(text))
	withheld := []string{"--store", server.URL + "/old.bundle", "--public-key", filepath.Join(dir, "new.pub")}
	wants(t, other, 0, "revision 4", "pull", "DIR", "--store", address, "--public-key", filepath.Join(dir, "new.pub"))
	wants(t, other, 2, "shows revision 3 as the newest, and |has revision 4", append([]string{"pull", "DIR", "--force"}, withheld...)...)
	wants(t, other, 0, "revision 3", append([]string{"pull", "DIR", "--revision", "3"}, withheld...)...)
	push(0, "published revision 5 by ann", "short", "--key", "DIR/new.key", "--base", "4", "--force", "--expires", "1s")
	for expired := time.Now().Add(authtest.TimeLimit(time.Minute)); ; time.Sleep(50 * time.Millisecond) {
		got := run(t, dir, "", "status", "--store", address, "--public-key", filepath.Join(dir, "new.pub"))
		if got.Code == 2 && strings.Contains(got.Stderr, "the bundle has expired") {
			break
		}
		if time.Now().After(expired) {
			t.Fatalf("status of an expired bundle: %d %s%s", got.Code, got.Stdout, got.Stderr)
		}
	}
	at(0, "5  |", "history") // which is still to be read
	wants(t, dir, 2, "--expires is for a bundle in file:", "rollback", "1", "--author", "ann", "--store", "redis://127.0.0.1:1", "--expires", "1h")
	wants(t, dir, 2, "this store signs nothing", "history", "--store", "redis://127.0.0.1:1", "--public-key", trust)
	for _, store := range []string{"file:", "file://host/x", "file:///"} {
		if got := run(t, dir, "", "history", "--store", store, "--public-key", trust); got.Code != 2 || strings.Contains(got.Stderr, "panic") {
			t.Errorf("%s: code %d, %s", store, got.Code, got.Stderr)
		}
	}
	wants(t, dir, 0, "5  |4  |3  ", "history", "--store", "file://"+filepath.ToSlash(filepath.Join(dir, "www", "policy.bundle")), "--public-key", "DIR/new.pub", "--public-key", trust)
}
