package clienttable

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authclient"
)

// transport asks with core/authclient.
func transport(t *testing.T, s situation, site *site) string {
	source, err := sourceOf(s.has)
	must(t, err)
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	authenticating, err := authclient.New(base, source, []string{site.url})
	must(t, err)
	client := &http.Client{Transport: authenticating, Timeout: limit}
	resp, err := client.Get(site.url + s.path)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	if err := authclient.Check(resp); err != nil {
		return fmt.Sprintf("`%s`", strings.TrimPrefix(fmt.Sprintf("%T", err), "*"))
	}
	return fmt.Sprintf("the response, %d", resp.StatusCode)
}

// sourceOf is a source that has these credentials. One that has none to give has
// a password for somewhere else.
func sourceOf(has credentials) (authclient.Source, error) {
	switch has {
	case nothing:
		return authclient.Basic(viewer, password, authclient.WithRealm("elsewhere"))
	case heldPassword:
		return authclient.Basic(viewer, password)
	case wrongPassword:
		return authclient.Basic(viewer, guess)
	}
	stock := []string{viewer}
	if has == expiredToken {
		stock = []string{expired, viewer}
	}
	return authclient.Bearer(func(context.Context) (string, time.Time, error) {
		token := stock[0]
		stock = append(stock[1:], viewer)
		return token, time.Time{}, nil
	})
}
