package providers_test

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/examples/checks/internal/openidprovider"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// TestExample runs examples/signin and signs in, as its comment says.
func TestExample(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: it builds a program, and -short is given")
	}
	t.Parallel()
	program := filepath.Join(t.TempDir(), "signin.exe") // the name that Windows needs
	build := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", "..", "..", "examples", "signin"), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	addr := programs.Unused(t)
	site := "http://" + addr
	p := openidprovider.Start(t, "alice", map[string]string{"shop": site})
	cmd := exec.CommandContext(t.Context(), program, "-addr", addr, "-site", site, "-issuer", p.URL, "-client", "shop")
	cmd.Env = append(os.Environ(), "CLIENT_SECRET=secret of shop")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed by the end of the test's context
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || strings.TrimSpace(line) != "listening on "+site {
		t.Fatalf("it says %q, %v", line, err)
	}
	alice := newPerson(t, "alice")
	if got := alice.walk(site+"/articles", nil, "http://none.invalid"); got.status != http.StatusOK || !strings.Contains(got.text, "For editors") {
		t.Errorf("articles: %d %s", got.status, got.text)
	}
	if got := alice.send(site+"/account", nil); got.status != http.StatusOK || !strings.Contains(got.text, "You are alice.") {
		t.Errorf("account: %d %s", got.status, got.text)
	}
	if got := alice.send(site+"/logout", url.Values{}); got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), p.URL) {
		t.Errorf("logout: %d to %q, want the provider", got.status, got.header.Get("Location"))
	}
	if got := alice.send(site+"/account", nil); got.status != http.StatusSeeOther {
		t.Errorf("account after the logout: %d, want 303", got.status)
	}
}
