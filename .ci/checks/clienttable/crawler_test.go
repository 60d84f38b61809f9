package clienttable

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crawler visits pages as those of search engines do. It may have credentials,
// as the crawler of a company's own search has.
type crawler struct {
	client        http.Client
	authorization string // "" for none
}

// maxWait is how long a crawler waits before it puts off a page to another day.
const maxWait = 10 * time.Second

// crawl visits the page of a situation.
func crawl(t *testing.T, s situation, site *site) string {
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	c := crawler{client: http.Client{Transport: base, Timeout: limit}, authorization: s.has.first()}
	result, err := c.visit(site.url, s.path)
	must(t, err)
	return result
}

// visit says what becomes of a page in the index.
func (c *crawler) visit(site, path string) (string, error) {
	allowed, err := c.allowed(site, path)
	if err != nil || !allowed {
		return "not asked for", err
	}
	resp, err := c.get(site + path)
	if err != nil {
		return "", err
	}
	if wait, ok := waitOf(resp); ok && wait <= maxWait {
		time.Sleep(wait)
		if resp, err = c.get(site + path); err != nil {
			return "", err
		}
	}
	switch {
	case resp.StatusCode == http.StatusOK && !strings.Contains(resp.Header.Get("X-Robots-Tag"), "noindex"):
		return "indexed", nil
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return "as it was before", nil // RFC 9110 §15.6: the fault is the server's
	case resp.StatusCode == http.StatusOK:
		return "not indexed: noindex", nil
	}
	return "not indexed: " + strconv.Itoa(resp.StatusCode), nil
}

// allowed asks robots.txt: a server that cannot say forbids everything, and one
// that has none allows it (RFC 9309 §2.3.1).
func (c *crawler) allowed(site, path string) (bool, error) {
	req, err := http.NewRequest(http.MethodGet, site+"/robots.txt", nil)
	if err != nil {
		return false, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		return resp.StatusCode/100 == 4, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 500<<10)) // RFC 9309 §2.5
	return err == nil && allows(string(body), path), err
}

// allows reads the rules for all crawlers: the longest match decides, and Allow
// where two are as long (RFC 9309 §2.2.2). Wildcards are not needed here.
func allows(robots, path string) bool {
	concerned, naming, longest, allowed := false, false, 0, true
	for line := range strings.Lines(robots) {
		line, _, _ = strings.Cut(line, "#")
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case name == "user-agent":
			concerned, naming = naming && concerned || value == "*", true
			continue
		case name != "allow" && name != "disallow":
			continue
		}
		naming = false
		better := len(value) > longest || len(value) == longest && name == "allow"
		if concerned && value != "" && strings.HasPrefix(path, value) && better {
			longest, allowed = len(value), name == "allow"
		}
	}
	return allowed
}

// get asks for a page and drops its body. Redirects are followed within the site
// alone, five at most.
func (c *crawler) get(address string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "ExampleBot/1.0 (+https://bot.example/)")
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.1")
	if c.authorization != "" {
		req.Header.Set("Authorization", c.authorization)
	}
	client := c.client
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > 5 || !sameSite(r.URL, via[0].URL) {
			return errors.New("the redirect leads too far")
		}
		return nil
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	return resp, resp.Body.Close()
}

func sameSite(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// waitOf is what an answer that says "not now" asks to wait, in seconds, as these
// servers say it (RFC 9110 §10.2.3).
func waitOf(resp *http.Response) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16)
	return time.Duration(seconds) * time.Second, err == nil
}

// TestRobots: the crawler of the table keeps to RFC 9309 §2.2.
func TestRobots(t *testing.T) {
	for _, c := range []struct {
		robots, path string
		want         bool
	}{
		{"", "/a", true},
		{"User-agent: *\nDisallow:\n", "/a", true},
		{"User-agent: *\nDisallow: /\n", "/a", false},
		{"user-agent: *\ndisallow: /a # not here\n", "/ab", false},
		{"User-agent: *\nDisallow: /a\nAllow: /a/b\n", "/a/b/c", true},
		{"User-agent: *\nDisallow: /a/b\nAllow: /a\n", "/a/b/c", false},
		{"User-agent: *\nDisallow: /a\nAllow: /a\n", "/a", true},
		{"User-agent: other\nDisallow: /\n", "/a", true},
		{"User-agent: *\nUser-agent: other\nDisallow: /\n", "/a", false},
		{"User-agent: *\nDisallow: /b\nUser-agent: other\nDisallow: /a\n", "/a", true},
	} {
		if got := allows(c.robots, c.path); got != c.want {
			t.Errorf("%q, %s: %v", c.robots, c.path, got)
		}
	}
}
