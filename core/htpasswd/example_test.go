package htpasswd_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/htpasswd"
)

func ExampleParse() {
	users, err := htpasswd.Parse("users.htpasswd", strings.NewReader(`
# made with: htpasswd -nB -C 10 alice
alice:$2y$10$y8tCRCefKPn8JSRZewkJ0eJR1ydyHT0BEHZhmPnBA12VOuKTOOYJa
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := users.VerifyPassword(context.Background(), "alice", "alice-pass")
	fmt.Println(p.ID(), err)

	_, err = users.VerifyPassword(context.Background(), "alice", "guess")
	fmt.Println(errors.Is(err, basic.ErrWrongPassword))

	// Usually the file is a scheme's verifier.
	_, err = basic.New("reports", users, basic.WithTLSRequired())
	fmt.Println(err)
	// Output:
	// alice <nil>
	// true
	// <nil>
}

// Everything wrong with a file is said at once.
func ExampleParse_findings() {
	_, err := htpasswd.Parse("users.htpasswd", strings.NewReader("alice\nbob:$apr1$salt$digest\n"))
	fmt.Println(err)
	// Output:
	// users.htpasswd:1: no colon: a line is user:hash, made with `sallyport passwd FILE USER` or `htpasswd -nB -C 12 USER`
	// users.htpasswd:2: user "bob": MD5 hash ($apr1$): only bcrypt and argon2id are accepted: make the line with `sallyport passwd FILE USER` or `htpasswd -nB -C 12 USER`
}
