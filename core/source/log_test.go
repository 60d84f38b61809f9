package source_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// TestErrorsAreLoggedOnceByDefault is not parallel: it sets the default logger.
func TestErrorsAreLoggedOnceByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer // which is read while all else waits
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&text, nil)))
		defer slog.SetDefault(before)
		s, keys := new(failing), new(counting)
		one, _, _ := keyFile(t)
		s.put(t, 0, "api.keys", one)
		f, err := source.FollowFile(t.Context(), s, "api.keys", keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []func(){
			func() { s.down.Store(true) },
			func() { s.down.Store(false) },
			func() { s.put(t, 1, "api.keys", "not a key\n") },
		} {
			step()
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		var got []string
		for line := range strings.Lines(text.String()) {
			got = append(got, strings.Fields(line)[1])
		}
		if want := []string{"level=WARN", "level=INFO", "level=WARN"}; !slices.Equal(got, want) || !strings.Contains(text.String(), "api.keys:1") {
			t.Errorf("logged\n%s", &text)
		}
	})
}
