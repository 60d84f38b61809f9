package setup_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// config names a scheme and a policy. Its paths begin at its folder.
const config = `
realm: reports
api_keys:
  file: api.keys
policy:
  model: rbac
  files: policy.csv
`

const policy = `
p, editor, /reports/:id, PUT
g, erin, editor
`

// A guard from a file, which any adapter mounts.
func Example() {
	dir, key, err := folder()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	access, err := setup.Open(filepath.Join(dir, "sallyport.yaml"), setup.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = access.Close() }()
	app := httpauth.Authorize(access.Guard())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "thank you, %s", httpauth.Principal(r).ID())
	}))

	for _, try := range []struct{ method, key string }{{"PUT", ""}, {"PUT", key}, {"DELETE", key}} {
		r := httptest.NewRequest(try.method, "/reports/7", nil)
		if try.key != "" {
			r.Header.Set("X-API-Key", try.key)
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			fmt.Println(try.method, w.Code, w.Body)
		} else {
			fmt.Println(try.method, w.Code, w.Header().Values("WWW-Authenticate"))
		}
	}
	// Output:
	// PUT 401 [ApiKey realm="reports", header="X-API-Key"]
	// PUT 200 thank you, erin
	// DELETE 403 []
}

// folder is one with the files and a key of erin's.
func folder() (dir, key string, err error) {
	key, id, hash := apikey.Generate()
	keys, err := apikey.Append("api.keys", nil, apikey.Info{ID: id, Hash: hash, Owner: "erin"})
	if err != nil {
		return "", "", err
	}
	if dir, err = os.MkdirTemp("", "setup"); err != nil {
		return "", "", err
	}
	for name, text := range map[string]string{"sallyport.yaml": config, "policy.csv": policy, "api.keys": string(keys)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return dir, "", err
		}
	}
	return dir, key, nil
}
