package bundle

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/pipenet"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// TestLostConnection: a connection that a firewall has forgotten is not used for a quarter
// of an hour while the server answers on new ones.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Encode("default", source.Entry{Revision: 1, Note: source.Note{Author: "ann", Message: "why"}}, time.Time{}, sourcetest.Files("one"), private)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }))
		defer n.Close()
		transport := newTransport()
		n.Use(transport)
		s, err := New("http://127.0.0.1/", []ed25519.PublicKey{public}, WithTransport(transport))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		fetch := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := s.Fetch(ctx, source.State{})
			return err
		}
		if err := fetch(); err != nil {
			t.Fatal(err)
		}
		n.Lose()
		for lost := time.Now(); ; {
			err := fetch()
			if err == nil {
				break
			}
			if time.Since(lost) > 25*time.Second {
				t.Fatalf("after %v: %v", time.Since(lost), err)
			}
		}
	})
}
