package challenge_test

import (
	"fmt"

	"github.com/sallyport-go/sallyport/core/challenge"
)

func ExampleNew() {
	c, err := challenge.New("Basic",
		challenge.Param{Name: "realm", Value: `the "back" office`},
		challenge.Param{Name: "charset", Value: "UTF-8"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c)
	// Output: Basic realm="the \"back\" office", charset="UTF-8"
}

func ExampleParse() {
	cs, err := challenge.Parse(
		`Negotiate, Digest realm="apps", algorithm=SHA-256`,
		`Basic realm="apps"`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range cs {
		realm, ok := c.Param("realm")
		fmt.Printf("%s %q %v\n", c.Scheme(), realm, ok)
	}

	_, err = challenge.Parse(`Basic realm="apps`)
	fmt.Println(err)
	// Output:
	// Negotiate "" false
	// Digest "apps" true
	// Basic "apps" true
	// challenge: line 1, offset 12: quoted string without its closing quote
}

func ExampleParseCredentials() {
	c, err := challenge.ParseCredentials(`Digest username="alice", nc=00000001`)
	if err != nil {
		fmt.Println(err)
		return
	}
	user, _ := c.Param("username")
	fmt.Println(c.Scheme, user)
	// Output: Digest alice
}

func ExampleSplit() {
	scheme, rest, ok := challenge.Split("Bearer mF_9.B5f-4.1JqM")
	fmt.Println(scheme, rest, ok, challenge.IsToken68(rest))

	scheme, _, ok = challenge.Split("Bearer\tmF_9.B5f-4.1JqM")
	fmt.Println(scheme, ok)
	// Output:
	// Bearer mF_9.B5f-4.1JqM true true
	// Bearer false
}
