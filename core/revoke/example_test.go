package revoke_test

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
)

func ExampleList_Load() {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	list, err := revoke.New(revoke.WithClock(func() time.Time { return now }))
	if err != nil {
		panic(err)
	}
	err = list.Load("revoked.txt", []byte(`
# a laptop was lost on Sunday
jti 3f2a9c01 exp=2026-11-22T18:00:00Z
sub alice issued-before=2026-11-22T08:15:00Z
`))
	if err != nil {
		panic(err)
	}
	for _, t := range []revoke.Token{
		{ID: "3f2a9c01", Subject: "bob", IssuedAt: now.Add(-time.Hour)},
		{ID: "77c0", Subject: "alice", IssuedAt: now.Add(-24 * time.Hour)},
		{ID: "91d4", Subject: "alice", IssuedAt: now.Add(-time.Minute)},
	} {
		revoked, err := list.Revoked(context.Background(), t)
		fmt.Println(t.ID, revoked, err)
	}

	fmt.Println(list.Load("revoked.txt", []byte("jti a\nsub bob\n")))
	// Output:
	// 3f2a9c01 true <nil>
	// 77c0 true <nil>
	// 91d4 false <nil>
	// revoked.txt:2: an entry for a subject or for all needs issued-before, so that later tokens work again
}
