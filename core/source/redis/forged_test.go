//go:build unix

package redis_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

var added = regexp.MustCompile(`"add":"[^"]*"`)

// TestForged: whatever someone writes to a set's keys or sends to its channel, an
// instance applies only what was published as that revision, and continues with the next
// good one.
func TestForged(t *testing.T) {
	const prefix = "sallyport:{forged}:"
	head, edit := prefix+"head", prefix+"edit"
	server := durable(t)
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	admin := client.NewClient(&client.Options{Addr: server.Addr()})
	defer func() { _ = admin.Close() }()
	set := func(key, value string) {
		t.Helper()
		if err := admin.Set(ctx, key, value, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	get := func(key string) string { return admin.Get(ctx, key).Val() }
	publisher, instance := opened(t, server, "forged"), opened(t, server, "forged")
	base := strings.Repeat("p, ann, /, GET\n", 5000)
	published := map[source.Revision]string{} // hashes
	newest := source.Revision(0)
	publish := func() {
		t.Helper()
		files := sourcetest.Files(fmt.Sprintf("%sp, bob, /%d, GET\n%s", base, newest, base))
		published[newest+1] = source.HashFiles(files)
		if _, err := publisher.Publish(ctx, source.Publication{Base: newest, Files: files, Note: source.Note{Author: "ann"}}); err != nil {
			t.Fatal(err)
		}
		newest++
	}
	var mu sync.Mutex
	var wrong []string
	publish()
	f, err := source.Follow(ctx, instance, func(_ context.Context, c *source.Content) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Hash() != published[c.Revision] {
			wrong = append(wrong, fmt.Sprintf("revision %d with other content", c.Revision))
		}
		return nil
	}, source.WithPollInterval(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	files := func(r source.Revision) string { return fmt.Sprintf("%s%d:files", prefix, r) }
	next := func() string { return fmt.Sprintf("%d %s", newest+1, published[newest]) }
	// Changes to the revision in force.
	attacks := map[string]func(){
		"another revision with this one's hash and no files": func() { set(head, next()) },
		"another revision with the files before": func() {
			set(files(newest+1), get(files(newest-1)))
			set(head, next())
		},
		"this revision with another hash":      func() { set(head, fmt.Sprintf("%d %s", newest, published[newest-1])) },
		"a revision before":                    func() { set(head, fmt.Sprintf("%d %s", newest-1, published[newest-1])) },
		"no revision":                          func() { admin.Del(ctx, head) },
		"what is no revision":                  func() { set(head, "-1 x") },
		"a number beyond all":                  func() { set(head, "18446744073709551615 x") },
		"a long one":                           func() { set(head, strings.Repeat("1", 1<<20)) },
		"half of the files":                    func() { set(files(newest+1), get(files(newest))[:40_000]); set(head, next()) },
		"files with lengths that do not agree": func() { set(files(newest+1), "\xff"+get(files(newest))[1:]); set(head, next()) },
		"an edit that is cut off":              func() { set(edit, get(edit)[:len(get(edit))/2]); set(head, next()) },
		"an edit to it from another one":       func() { set(head, next()) }, // the existing one
		"an edit that is long":                 func() { set(edit, strings.Repeat("x", 1<<20)); set(head, next()) },
		"an edit that repeats itself":          func() { set(edit, get(edit)+get(edit)); set(head, next()) },
		"an edit that makes other files": func() {
			forged := strings.ReplaceAll(get(edit), fmt.Sprintf(`"Revision":%d`, newest), fmt.Sprintf(`"Revision":%d`, newest+1))
			forged = strings.ReplaceAll(forged, fmt.Sprintf(`"Revision":%d`, newest-1), fmt.Sprintf(`"Revision":%d`, newest))
			forged = added.ReplaceAllString(forged, `"add":"eA=="`)
			set(edit, strings.ReplaceAll(forged, published[newest-1], published[newest]))
			set(head, next())
		},
	}
	for what, attack := range attacks {
		publish()
		publish() // by an edit of a line
		if err := f.WaitFor(ctx, newest); err != nil {
			t.Fatalf("before %s: %v", what, err)
		}
		if get(edit) == "" {
			t.Fatalf("before %s: there is no edit", what)
		}
		kept := map[string]string{}
		for _, key := range []string{head, edit} {
			kept[key] = get(key)
		}
		attack()
		for _, notice := range []string{fmt.Sprint(newest + 1), fmt.Sprint(newest+1, " edit"), "18446744073709551615 edit", "0", "x\x00", ""} {
			if err := admin.Publish(ctx, prefix+"changed", notice).Err(); err != nil {
				t.Fatal(err)
			}
			if err := f.Refresh(ctx); err == nil {
				t.Errorf("%s, notified by %q: no error", what, notice)
			}
			if s := f.Status(); s.Revision != newest || s.Err == nil {
				t.Errorf("%s, notified by %q: revision %d is in force, want %d; error %v", what, notice, s.Revision, newest, s.Err)
			}
		}
		for key, value := range kept {
			set(key, value)
		}
		admin.Del(ctx, files(newest+1))
		publish()
		if err := f.WaitFor(ctx, newest); err != nil {
			t.Errorf("after %s the next revision is not in force: %v", what, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(wrong) > 0 {
		t.Errorf("in force were %s", slices.Compact(wrong))
	}
}
