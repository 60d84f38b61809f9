package digest_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// A line of a password file for one user.
func ExampleHashA1() {
	hash, err := digest.HashA1(digest.SHA256, "Mufasa", "http-auth@example.org", "Circle of Life")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("Mufasa:http-auth@example.org:%s\n", hash)
	// Output:
	// Mufasa:http-auth@example.org:7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232
}

// A guard with users from a file, and a client that answers its challenge.
func ExampleNew() {
	users, err := digest.NewFile("reports")
	if err != nil {
		fmt.Println(err)
		return
	}
	hash, _ := digest.HashA1(digest.SHA256, "erin", "reports", "open sesame")
	if err := users.Load("users.htdigest", []byte("erin:reports:"+hash+"\n")); err != nil {
		fmt.Println(err)
		return
	}
	scheme, err := digest.New("reports", users)
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
		fmt.Fprintf(w, "welcome, %s", httpauth.Principal(r).ID())
	}))

	r := httptest.NewRequest(http.MethodGet, "/reports?year=2026", nil)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	offers, _ := challenge.Parse(w.Header().Get("WWW-Authenticate"))
	nonce, _ := offers[0].Param("nonce")
	opaque, _ := offers[0].Param("opaque")
	fmt.Println(w.Code, offers[0].Scheme())

	in := digest.Input{Method: "GET", URI: "/reports?year=2026", Nonce: nonce, Count: "00000001", ClientNonce: "0a4f113b"}
	answer := []string{
		`username="erin"`, `realm="reports"`, `algorithm=SHA-256`, `qop=auth`, `nc=` + in.Count, `cnonce="` + in.ClientNonce + `"`,
		`nonce="` + nonce + `"`, `opaque="` + opaque + `"`, `uri="` + in.URI + `"`,
		`response="` + digest.SHA256.Response(hash, in) + `"`,
	}
	r.Header.Set("Authorization", "Digest "+strings.Join(answer, ", "))
	for range 2 { // an eavesdropper cannot reuse the response
		w = httptest.NewRecorder()
		app.ServeHTTP(w, r)
		body, _, _ := strings.Cut(w.Body.String(), "\n")
		if w.Code != http.StatusOK {
			body = "refused"
		}
		fmt.Println(w.Code, body)
	}
	// Output:
	// 401 Digest
	// 200 welcome, erin
	// 401 refused
}
