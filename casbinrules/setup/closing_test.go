package setup

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// shelf is a store of policies for TestNothingIsLeftRunning.
var shelf = new(sourcetest.Memory)

func init() {
	RegisterPolicyStore("shelf", func(*struct{}) (source.Source, func() error, error) { return shelf, nil, nil })
}

// inProject are the goroutines of this project besides those of tests.
func inProject() (stacks []string) {
	all := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if strings.Contains(stack, "sallyport-go/sallyport/") && !strings.Contains(stack, "testing.") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// TestNothingIsLeftRunning after Close, nor after a file that is refused at its end. No
// other test runs beside it.
func TestNothingIsLeftRunning(t *testing.T) {
	issuer := httptest.NewServer(http.NotFoundHandler())
	defer issuer.Close()
	users := must(filepath.Glob("testdata/files/users.*"))
	var files []source.File
	for _, name := range users {
		files = append(files, source.File{Name: filepath.Base(name), Content: []byte(pageText(t, name))})
	}
	files = append(files, source.File{Name: "policy.csv", Content: []byte("p, erin, /reports, GET\n")})
	must(shelf.Publish(context.Background(), source.Publication{Note: source.Note{Author: "ann"}, Files: files}))
	const (
		local = "basic: {htpasswd: users.htpasswd}\nrevocations: {store: {memory: {}}}\npolicy: {model: model.conf, files: policy.csv}\n"
		tied  = "digest: {store_file: users.htdigest}\npolicy: {model: rbac, store: {shelf: {}}}\n"
	)
	remote := "realm: reports\nbearer: {issuer: 'https://idp.example', audience: reports, jwks: '" + issuer.URL + "'}\n"
	for name, text := range map[string]string{
		"files": remote + local, "a store": remote + tied,
		"files, refused":   remote + local + "serve: {proxy: nginx}\n",
		"a store, refused": remote + tied + "serve: {proxy: nginx}\n",
	} {
		s, err := Open(configFile(t, text), quiet())
		if refused := strings.HasSuffix(name, "refused"); refused != (err != nil) {
			t.Fatalf("%s: %v", name, err)
		}
		if err == nil {
			if len(inProject()) == 0 {
				t.Errorf("%s: nothing runs: the case proves nothing", name)
			}
			err = s.Close()
		} else {
			err = nil
		}
		var left []string
		for end := time.Now().Add(authtest.TimeLimit(20 * time.Second)); time.Now().Before(end); runtime.Gosched() {
			if left = inProject(); len(left) == 0 {
				break
			}
		}
		if len(left) > 0 || err != nil {
			t.Errorf("%s: %v, and left running is\n%s", name, err, strings.Join(left, "\n\n"))
		}
	}
}
