package apikey_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// A service takes keys from a file. In production watch.Load of core/watch
// loads it, at the start and on each change.
func ExampleNew() {
	key, id, hash := apikey.Generate()
	text, err := apikey.Append("keys", nil, apikey.Info{ID: id, Hash: hash, Owner: "ci-bot", Roles: []string{"editor"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	keys := new(apikey.File)
	if err := keys.Load("keys", text); err != nil {
		fmt.Println(err)
		return
	}
	scheme, err := apikey.New("reports", keys)
	if err != nil {
		fmt.Println(err)
		return
	}
	quiet := core.LogObserver(slog.New(slog.DiscardHandler))
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(quiet))
	if err != nil {
		fmt.Println(err)
		return
	}
	app := httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s", httpauth.Principal(r).ID())
	}))
	ask := func(key string) {
		r := httptest.NewRequest(http.MethodGet, "/reports", nil)
		if key != "" {
			r.Header.Set("X-API-Key", key)
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			fmt.Println(w.Code, w.Body)
			return
		}
		fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	}
	ask("")
	ask(key)
	if text, err = apikey.Revoke("keys", text, time.Now(), "laptop stolen", id); err == nil {
		err = keys.Load("keys", text)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	ask(key)
	// Output:
	// 401 ApiKey realm="reports", header="X-API-Key"
	// 200 hello, ci-bot
	// 401 ApiKey realm="reports", header="X-API-Key"
}

// What is wrong with a file is told with its lines.
func ExampleFile_Load() {
	err := new(apikey.File).Load("keys", []byte("[sp_k3m4x2q7ab]\nowner = ci-bot # nightly\nhash = secret\n"))
	fmt.Println(err)
	// Output:
	// keys:2: owner: contains a #: put comments on lines of their own
	// keys:3: hash: a hash must be sha256: and 64 hexadecimal digits
}

// Of a key only the hash is kept.
func ExampleGenerate() {
	key, id, hash := apikey.Generate()
	fmt.Println(strings.HasPrefix(key, id+"."), len(key), len(hash.String()))
	// Output: true 73 71
}
