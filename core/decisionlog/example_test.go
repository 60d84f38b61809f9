package decisionlog_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// users maps tokens to users. Package jwtauth verifies JSON Web Tokens.
type users map[string]string

func (u users) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: u[token]})
}

// A log is an observer, which a guard calls with every verdict. With a hash chain each
// line contains a hash of all before it, so that no change or removal goes unnoticed.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "decisions.jsonl")
	log, err := decisionlog.Open(file, decisionlog.WithHashChain())
	if err != nil {
		fmt.Println(err)
		return
	}
	scheme, err := bearer.New("reports", users{"t1": "erin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(log))
	if err != nil {
		fmt.Println(err)
		return
	}
	app := httpauth.Authenticate(guard)(http.NotFoundHandler())
	for _, token := range []string{"", "t1"} {
		r := httptest.NewRequest(http.MethodGet, "/reports/7", nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		app.ServeHTTP(httptest.NewRecorder(), r)
	}
	if err := log.Close(); err != nil { // writes queued decisions
		fmt.Println(err)
		return
	}

	lines, err := os.ReadFile(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range bytes.Lines(lines) {
		if r, err := decisionlog.Parse(line); err != nil {
			fmt.Println(err)
		} else if r.Kind == decisionlog.KindDecision {
			fmt.Println(r.Request.Principal, r.Outcome, r.Reason)
		}
	}
	// Any change to the file would be a finding.
	v, err := decisionlog.Verify([]string{file})
	fmt.Println(v.Findings, err)
	// Output:
	//  unauthenticated no_credentials
	// erin allowed allowed
	// [] <nil>
}
