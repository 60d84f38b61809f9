package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sallyport-go/sallyport/core/authclient"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// get asks the service for the reports, once with each of the tokens of fetch.
func (w *world) get(t *testing.T, fetch authclient.TokenFunc, times int) (statuses []int) {
	t.Helper()
	tokens, err := authclient.Bearer(fetch)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := authclient.New(nil, tokens, []string{w.url})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: transport, Timeout: authtest.TimeLimit(time.Minute)}
	for range times {
		resp, err := client.Get(w.url + "/reports")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		statuses = append(statuses, resp.StatusCode)
	}
	return statuses
}

// fromRefreshToken is for programs that act for a user who has signed in. A
// refresh token alone is no token that could be given out again, and the next
// one may be another.
func fromRefreshToken(c *oauth2.Config, refresh string) authclient.TokenFunc {
	return func(ctx context.Context) (string, time.Time, error) {
		t, err := c.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
		if err != nil {
			return "", time.Time{}, err
		}
		refresh = t.RefreshToken
		return t.AccessToken, t.Expiry, nil
	}
}

func TestTokensOfOAuth2(t *testing.T) {
	client := func(w *world) *clientcredentials.Config {
		return &clientcredentials.Config{ClientID: "jobs", ClientSecret: "open-sesame", TokenURL: w.endpoint.URL, AuthStyle: oauth2.AuthStyleInHeader}
	}
	user := func(w *world) *oauth2.Config {
		return &oauth2.Config{ClientID: "jobs", ClientSecret: "open-sesame", Endpoint: oauth2.Endpoint{TokenURL: w.endpoint.URL, AuthStyle: oauth2.AuthStyleInHeader}}
	}
	for _, c := range []struct {
		name            string
		fetch           func(*world) authclient.TokenFunc
		want            []int
		tokens, refused int
	}{
		{"client credentials", func(w *world) authclient.TokenFunc { return fromEndpoint(client(w)) }, []int{200, 200}, 2, 1},
		{"refresh token", func(w *world) authclient.TokenFunc { return fromRefreshToken(user(w), "refresh-0") }, []int{200, 200}, 2, 1},
		// What the comment on fromEndpoint warns of: the refused token is good by
		// its own expiry, so it comes again. That is a 401 and no loop.
		{"a source that was asked before", func(w *world) authclient.TokenFunc {
			source := client(w).TokenSource(context.Background())
			return func(context.Context) (string, time.Time, error) {
				token, err := source.Token()
				if err != nil {
					return "", time.Time{}, err
				}
				return token.AccessToken, token.Expiry, nil
			}
		}, []int{401, 401}, 1, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if got := w.get(t, c.fetch(w), 2); !slices.Equal(got, c.want) {
				t.Errorf("statuses %v, want %v", got, c.want)
			}
			if n := w.service.count("GET /reports 401"); w.given != c.tokens || n != c.refused {
				t.Errorf("%d tokens and %d times 401, want %d and %d", w.given, n, c.tokens, c.refused)
			}
		})
	}
}

// A refresh token that may be used once is replaced by the next.
func TestRefreshTokensRotate(t *testing.T) {
	w := newWorld(t)
	var used []string
	endpoint := w.endpoint.Config.Handler
	w.endpoint.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		used = append(used, fmt.Sprint(r.FormValue("refresh_token")))
		endpoint.ServeHTTP(rw, r)
	})
	config := &oauth2.Config{ClientID: "jobs", ClientSecret: "open-sesame", Endpoint: oauth2.Endpoint{TokenURL: w.endpoint.URL, AuthStyle: oauth2.AuthStyleInHeader}}
	w.get(t, fromRefreshToken(config, "refresh-0"), 1)
	if want := []string{"refresh-0", "refresh-1"}; !slices.Equal(used, want) {
		t.Errorf("used %q, want %q", used, want)
	}
}
