package dpop

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
	"github.com/sallyport-go/sallyport/core/internal/loopback"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
)

// base is the address at which clients reach the root of a service.
type base struct {
	origin string // normalised, without a slash at the end
	prefix string // "" or a path without a slash at the end
}

// parseBase parses an address from the configuration.
func parseBase(address string) (base, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsAny(address, "?#") {
		return base{}, fmt.Errorf("address %q is not that of a service, such as \"https://api.example\"", quiet.Text(address))
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback.Host(u.Hostname())) {
		return base{}, fmt.Errorf("address %q: https is needed; plain http is accepted for localhost only", address)
	}
	normal, err := normalizeURI(address)
	if err != nil {
		return base{}, fmt.Errorf("address %q: %w", address, err)
	}
	authority := strings.Index(normal, "://") + len("://")
	path := authority + strings.IndexByte(normal[authority:], '/')
	return base{origin: normal[:path], prefix: strings.TrimRight(normal[path:], "/")}, nil
}

// at returns the normalised address of a path of the service.
func (b base) at(path string) (string, error) {
	p, err := normalizePath(b.prefix + path)
	return b.origin + p, err
}

// targetPath returns the path of a request target (RFC 9112 §3.2), without query.
// The authority of the absolute form is ignored: it comes from the client.
func targetPath(target string) (string, error) {
	path, _, _ := strings.Cut(target, "?")
	if scheme, rest, ok := strings.Cut(path, "://"); ok && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")) {
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return "/", nil
		}
		path = rest[slash:]
	}
	if !strings.HasPrefix(path, "/") {
		return "", errors.New("it has no path")
	}
	return path, nil
}

// normalizeURI normalises an http or https URI without query and fragment by RFC
// 3986 §6.2.2 and §6.2.3: scheme and host in lower case, no default port, no dot
// segments, percent-encoding only where needed and in upper case, never an empty
// path.
func normalizeURI(uri string) (string, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	scheme = ascii.Lower(scheme)
	if !ok || scheme != "https" && scheme != "http" {
		return "", errors.New("neither https nor http")
	}
	if strings.ContainsAny(rest, "?#") {
		return "", errors.New("query or fragment")
	}
	authority, path := rest, ""
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		authority, path = rest[:slash], rest[slash:]
	}
	authority, err := normalizeAuthority(scheme, authority)
	if err != nil {
		return "", err
	}
	if path, err = normalizePath(path); err != nil {
		return "", err
	}
	return scheme + "://" + authority + path, nil
}

// normalizeAuthority returns the host and, unless it is the scheme's default, the
// port (RFC 3986 §3.2.2, §3.2.3).
func normalizeAuthority(scheme, authority string) (string, error) {
	host, port := ascii.Lower(authority), ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, port = host[:colon], host[colon+1:]
	}
	if strings.Trim(port, "0123456789") != "" {
		return "", errors.New("the port is not a number")
	}
	name, allowed := host, "-._~"
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name, allowed = host[1:len(host)-1], ".:"
	}
	if name == "" {
		return "", errors.New("no host")
	}
	if i := ascii.Span(name, allowed); i < len(name) {
		return "", fmt.Errorf("byte %#02x in the authority", name[i])
	}
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return host, nil
	}
	return host + ":" + port, nil
}

// normalizePath normalises the percent-encoding first, so that encoded dot segments
// are found too.
func normalizePath(path string) (string, error) {
	var b strings.Builder
	b.Grow(len(path) + 1)
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c <= ' ' || c > '~' || c == '\\':
			return "", fmt.Errorf("byte %#02x in the path", c)
		case c != '%':
			b.WriteByte(c)
			continue
		}
		high, low := -1, -1
		if i+2 < len(path) {
			high, low = unhex(path[i+1]), unhex(path[i+2])
		}
		if high < 0 || low < 0 {
			return "", errors.New("bad percent-encoding in the path")
		}
		if c := byte(high<<4 | low); isUnreserved(c) {
			b.WriteByte(c)
		} else {
			b.WriteString(strings.ToUpper(path[i : i+3]))
		}
		i += 2
	}
	return removeDots(b.String()), nil
}

// removeDots removes dot segments (RFC 3986 §5.2.4). The path is absolute or empty.
func removeDots(path string) string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var out []string
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			fallthrough
		case ".":
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}

// isUnreserved reports whether c means the same encoded or not (RFC 3986 §2.3).
func isUnreserved(c byte) bool { return ascii.IsAlphanumeric(c) || strings.IndexByte("-._~", c) >= 0 }

// unhex returns the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
