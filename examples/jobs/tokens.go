package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sallyport-go/sallyport/core/authclient"
)

func (c config) tokens(secret string) authclient.TokenFunc {
	if c.tokenFile != "" {
		return fromFile(c.tokenFile)
	}
	return fromEndpoint(&clientcredentials.Config{
		ClientID: c.clientID, ClientSecret: secret, TokenURL: c.tokenURL,
		AuthStyle: oauth2.AuthStyleInHeader, // as every endpoint must take it (RFC 6749 §2.3.1)
	})
}

// fromFile reads the token at each call, so that what renews the file counts.
func fromFile(name string) authclient.TokenFunc {
	return func(context.Context) (string, time.Time, error) {
		text, err := os.ReadFile(name)
		return strings.TrimSpace(string(text)), time.Time{}, err
	}
}

// fromEndpoint asks Token and no TokenSource: one that was asked before gives
// out the token it has until that expires, also when a service has refused it.
func fromEndpoint(c *clientcredentials.Config) authclient.TokenFunc {
	return func(ctx context.Context) (string, time.Time, error) {
		t, err := c.Token(ctx)
		if err != nil {
			return "", time.Time{}, err
		}
		return t.AccessToken, t.Expiry, nil
	}
}

// isRefused reports whether there will be no token, however often one asks: the
// endpoint has answered and said no. That it is down is another matter.
func isRefused(err error) bool {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return false
	}
	status := refused.Response.StatusCode
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout
}

// reason is an error in words for the list of results; the answer of a token
// endpoint is left out, since it may hold anything.
func reason(err error) string {
	if isRefused(err) {
		var refused *oauth2.RetrieveError
		errors.As(err, &refused)
		return fmt.Sprintf("the token endpoint refuses this client: %q", refused.ErrorCode)
	}
	return err.Error()
}
