package main

import (
	"io"
	"net/http"

	"github.com/sallyport-go/sallyport/core/httpauth"
)

func main() {
	me := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, httpauth.Principal(r).ID())
	})
	http.Handle("/me", httpauth.Authenticate(newGuard())(me))
	panic(http.ListenAndServe("127.0.0.1:8080", nil))
}
