package proxy_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// request is a request from peer with header lines "Name: value".
func request(peer string, lines ...string) core.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = peer
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return &adapter.View{Request: r}
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func trust(t testing.TB, opts ...proxy.Option) *proxy.Trust {
	t.Helper()
	trusted, err := proxy.New(prefixes("10.0.0.0/8", "fd00::/8", "fe80::/10"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return trusted
}

// client is one row of the tables below. want is an address, and "?" after it
// where it is not proven to be the client's.
type client struct {
	name, peer string
	lines      []string
	want       string
}

func checkClients(t *testing.T, trusted *proxy.Trust, clients []client) {
	t.Helper()
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			addr, err := trusted.Client(request(c.peer, c.lines...))
			got := addr.String()
			if errors.Is(err, proxy.ErrUnproven) {
				got += "?"
			} else if err != nil {
				t.Errorf("error %v is of no known kind", err)
			}
			if got != c.want {
				t.Errorf("client %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

// TestClient: H18.
func TestClient(t *testing.T) {
	const xff = "X-Forwarded-For: "
	checkClients(t, trust(t), []client{
		{"peer alone", "192.0.2.1:80", nil, "192.0.2.1"},
		{"peer over IPv6", "[2001:db8::1]:80", nil, "2001:db8::1"},
		{"peer that is IPv4-mapped", "[::ffff:192.0.2.1]:80", nil, "192.0.2.1"},
		{"peer without a port", "192.0.2.1", nil, "192.0.2.1"},
		{"a header from a stranger", "192.0.2.1:80", []string{xff + "198.51.100.1"}, "192.0.2.1"},
		{"one proxy", "10.0.0.1:80", []string{xff + "198.51.100.1"}, "198.51.100.1"},
		{"an IPv4-mapped proxy", "[::ffff:10.0.0.1]:80", []string{xff + "198.51.100.1"}, "198.51.100.1"},
		{"a link-local proxy", "[fe80::1%eth0]:80", []string{xff + "198.51.100.1"}, "198.51.100.1"},
		{"what a client made up stands left", "10.0.0.1:80", []string{xff + "127.0.0.1, 198.51.100.1"}, "198.51.100.1"},
		{"garbage stands left", "10.0.0.1:80", []string{xff + "<script>,,\", 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:80", []string{xff + "198.51.100.1, 10.2.3.4"}, "198.51.100.1"},
		{"proxies of both families", "[fd00::1]:80", []string{xff + "198.51.100.1,10.2.3.4,\tfd00::2"}, "198.51.100.1"},
		{"all trusted", "10.0.0.1:80", []string{xff + "10.0.0.9, 10.0.0.2"}, "10.0.0.9"},
		{"with a port", "10.0.0.1:80", []string{xff + "198.51.100.1:4711"}, "198.51.100.1"},
		{"in brackets", "10.0.0.1:80", []string{xff + "[2001:db8::1]"}, "2001:db8::1"},
		{"in brackets with a port", "10.0.0.1:80", []string{xff + "[2001:db8::1]:4711"}, "2001:db8::1"},
		{"bare IPv6", "10.0.0.1:80", []string{xff + "2001:db8::1"}, "2001:db8::1"},
		{"IPv4-mapped", "10.0.0.1:80", []string{xff + "::ffff:198.51.100.1"}, "198.51.100.1"},
		{"an IPv4-mapped second proxy", "10.0.0.1:80", []string{xff + "198.51.100.1, ::ffff:10.0.0.2"}, "198.51.100.1"},
		{"a zone", "10.0.0.1:80", []string{xff + "fec0::1%x"}, "fec0::1"},
		{"no header", "10.0.0.1:80", nil, "10.0.0.1?"},
		{"an empty header", "10.0.0.1:80", []string{xff}, "10.0.0.1?"},
		{"two lines", "10.0.0.1:80", []string{xff + "198.51.100.1", xff + "198.51.100.2"}, "10.0.0.1?"},
		{"unknown", "10.0.0.1:80", []string{xff + "unknown"}, "10.0.0.1?"},
		{"a name", "10.0.0.1:80", []string{xff + "app.example"}, "10.0.0.1?"},
		{"IPv4 in brackets", "10.0.0.1:80", []string{xff + "[198.51.100.1]"}, "10.0.0.1?"},
		{"leading zeros", "10.0.0.1:80", []string{xff + "198.051.100.1"}, "10.0.0.1?"},
		{"a comma at the end", "10.0.0.1:80", []string{xff + "198.51.100.1,"}, "10.0.0.1?"},
		{"unreadable beyond the second proxy", "10.0.0.1:80", []string{xff + "198.51.100.1, x, 10.0.0.2"}, "10.0.0.2?"},
		{"empty beyond the second proxy", "10.0.0.1:80", []string{xff + ",10.0.0.2"}, "10.0.0.2?"},
		{"more proxies than there are", "10.0.0.1:80", []string{xff + "198.51.100.1" + strings.Repeat(",10.0.0.2", 40)}, "10.0.0.2?"},
		{"another header", "10.0.0.1:80", []string{"Forwarded: for=198.51.100.1", "X-Real-Ip: 198.51.100.1"}, "10.0.0.1?"},
		{"another spelling", "10.0.0.1:80", []string{"X_Forwarded_For: 198.51.100.1"}, "10.0.0.1?"},
		{"a Unix socket", "@", []string{xff + "198.51.100.1"}, "invalid IP?"},
		{"no address", "bufconn", []string{xff + "198.51.100.1"}, "invalid IP?"},
	})
}

// TestForwarded: RFC 7239 §4 to §6.
func TestForwarded(t *testing.T) {
	const fwd = "Forwarded: "
	checkClients(t, trust(t, proxy.WithForwarded()), []client{
		{"one element", "10.0.0.1:80", []string{fwd + "for=198.51.100.1"}, "198.51.100.1"},
		{"further pairs", "10.0.0.1:80", []string{fwd + "by=203.0.113.43;proto=http;FOR=198.51.100.1 ; host=\"a;b,c\""}, "198.51.100.1"},
		{"IPv6", "10.0.0.1:80", []string{fwd + `For="[2001:db8:cafe::17]:4711"`}, "2001:db8:cafe::17"},
		{"a quoted port", "10.0.0.1:80", []string{fwd + `for="198.51.100.1:80"`}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:80", []string{fwd + `for=192.0.2.9, for=198.51.100.1,for="[fd00::2]"`}, "198.51.100.1"},
		{"an escaped quote hides no comma", "10.0.0.1:80", []string{fwd + `for="x\", for=192.0.2.9", for=198.51.100.1`}, "198.51.100.1"},
		{"an escape", "10.0.0.1:80", []string{fwd + `for="198\.51.100.1"`}, "198.51.100.1"},
		{"all trusted", "10.0.0.1:80", []string{fwd + "for=10.0.0.9, for=10.0.0.2"}, "10.0.0.9"},
		{"from a stranger", "192.0.2.1:80", []string{fwd + "for=198.51.100.1"}, "192.0.2.1"},
		{"obfuscated", "10.0.0.1:80", []string{fwd + "for=_hidden"}, "10.0.0.1?"},
		{"unknown", "10.0.0.1:80", []string{fwd + "for=unknown"}, "10.0.0.1?"},
		{"no for", "10.0.0.1:80", []string{fwd + "for=192.0.2.9, proto=https"}, "10.0.0.1?"},
		{"for twice", "10.0.0.1:80", []string{fwd + "for=192.0.2.9;for=198.51.100.1"}, "10.0.0.1?"},
		{"an open quote", "10.0.0.1:80", []string{fwd + `for="x, for=198.51.100.1`}, "10.0.0.1?"},
		{"an escape at the end", "10.0.0.1:80", []string{fwd + `for="x\`}, "10.0.0.1?"},
		{"two words", "10.0.0.1:80", []string{fwd + "for=192.0.2.9 198.51.100.1"}, "10.0.0.1?"},
		{"a bare port", "10.0.0.1:80", []string{fwd + "for=198.51.100.1:80"}, "10.0.0.1?"},
		{"no value", "10.0.0.1:80", []string{fwd + "for="}, "10.0.0.1?"},
		{"no name", "10.0.0.1:80", []string{fwd + "=198.51.100.1"}, "10.0.0.1?"},
		{"a name alone", "10.0.0.1:80", []string{fwd + "for"}, "10.0.0.1?"},
		{"an empty element", "10.0.0.1:80", []string{fwd + "for=198.51.100.1,"}, "10.0.0.1?"},
		{"the other header", "10.0.0.1:80", []string{"X-Forwarded-For: 198.51.100.1"}, "10.0.0.1?"},
	})
}

func TestUnixSocket(t *testing.T) {
	trusted, err := proxy.New(nil, proxy.WithUnixSocket())
	if err != nil {
		t.Fatal(err)
	}
	var clients []client
	for _, peer := range []string{"", "@", "@name", "/run/proxy.sock"} {
		clients = append(clients,
			client{"named " + peer, peer, []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1"},
			client{"not named " + peer, peer, nil, "invalid IP?"})
	}
	checkClients(t, trusted, append(clients,
		client{"garbage is no socket", "bufconn", []string{"X-Forwarded-For: 198.51.100.1"}, "invalid IP?"},
		client{"nor is an address", "10.0.0.1:80", []string{"X-Forwarded-For: 198.51.100.1"}, "10.0.0.1"}))
}

func TestPeerTrusted(t *testing.T) {
	trusted := trust(t)
	for peer, want := range map[string]bool{
		"10.1.2.3:80": true, "[::ffff:10.1.2.3]:80": true, "[fe80::1%eth0]:80": true,
		"192.0.2.1:80": false, "@": false, "": false, "bufconn": false, "11.0.0.1": false,
	} {
		r := request(peer, "X-Forwarded-For: 10.0.0.1")
		if got := trusted.PeerTrusted(r); got != want {
			t.Errorf("peer %q: trusted %v", peer, got)
		}
		if (*proxy.Trust)(nil).PeerTrusted(r) {
			t.Errorf("a nil Trust trusts %q", peer)
		}
	}
	addr, err := (*proxy.Trust)(nil).Client(request("10.1.2.3:80", "X-Forwarded-For: 192.0.2.1"))
	if err != nil || addr.String() != "10.1.2.3" {
		t.Errorf("a nil Trust gives %v, %v", addr, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for want, list := range map[string][]netip.Prefix{
		"no trusted proxy":     nil,
		"not valid":            {{}},
		"trusts everyone":      prefixes("10.0.0.0/8", "0.0.0.0/0"),
		"write 10.0.0.0/8":     prefixes("10.0.0.1/8"),
		"or 10.0.0.1/32":       prefixes("10.0.0.1/8"),
		"as an IPv4 or":        {netip.PrefixFrom(netip.MustParseAddr("::ffff:10.0.0.0"), 90)},
		"prefix 0.0.0.0/0 tru": {netip.PrefixFrom(netip.MustParseAddr("::ffff:0.0.0.0"), 96)},
	} {
		if _, err := proxy.New(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", list, err, want)
		}
	}
	if _, err := proxy.New(prefixes("10.0.0.0/8"), nil); err == nil {
		t.Error("a nil option is taken")
	}
	broken := errors.New("broken")
	if _, err := proxy.New(nil, func(*proxy.Trust) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("an option's error becomes %v", err)
	}
	mapped := netip.PrefixFrom(netip.MustParseAddr("::ffff:10.0.0.0"), 104)
	trusted, err := proxy.New([]netip.Prefix{mapped})
	if err != nil || !trusted.PeerTrusted(request("10.1.2.3:80")) {
		t.Errorf("an IPv4-mapped prefix: %v", err)
	}
}

func TestGroup(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":              "192.0.2.1/32",
		"::ffff:192.0.2.1":       "192.0.2.1/32",
		"2001:db8:1:2:3:4:5:6":   "2001:db8:1:2::/64",
		"fe80::1%eth0":           "fe80::/64",
		"64:ff9b::192.0.2.1":     "192.0.2.1/32",
		"64:ff9b:0:1::192.0.2.1": "64:ff9b:0:1::/64",
	} {
		if got := proxy.Group(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s is counted under %v, want %s", addr, got, want)
		}
	}
	if got := proxy.Group(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is counted under %v", got)
	}
}

// TestClientAllocates nothing for the requests that come most.
func TestClientAllocates(t *testing.T) {
	trusted := trust(t)
	for _, r := range []core.Request{
		request("192.0.2.1:80"),
		request("10.0.0.1:80", "X-Forwarded-For: 198.51.100.1, 10.0.0.2"),
	} {
		if n := testing.AllocsPerRun(100, func() { _, _ = trusted.Client(r) }); n > 0 {
			t.Errorf("%v allocations for peer %s", n, r.RemoteAddr())
		}
	}
}

func ExampleTrust_Client() {
	trusted, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The client wrote 127.0.0.1 itself; the proxy appended where it was.
	fmt.Println(trusted.Client(request("10.0.0.7:41000", "X-Forwarded-For: 127.0.0.1, 198.51.100.1")))
	fmt.Println(trusted.Client(request("203.0.113.5:52000", "X-Forwarded-For: 127.0.0.1")))
	// Output:
	// 198.51.100.1 <nil>
	// 203.0.113.5 <nil>
}

// FuzzClient: nothing that a client writes left of what a proxy appends changes
// who the client is, and no one else's address is made of what is unreadable.
func FuzzClient(f *testing.F) {
	for _, seed := range []string{
		"", ",", "127.0.0.1", "10.0.0.1", "for=10.0.0.1", `for="[::1]:80"`, `for="`, `for="\`, ";", "for=1;for=2", "unknown",
		"[", "[]", "]:", "1.2.3.4:", "fe80::1%", "::ffff:1.2.3.4", "\x00", "a=b;for=_x, for=unknown",
	} {
		f.Add(seed, "192.0.2.1:80")
	}
	f.Add("for=10.0.0.1", "@")
	plain, forwarded := trust(f), trust(f, proxy.WithForwarded())
	f.Fuzz(func(t *testing.T, made, peer string) {
		want := netip.MustParseAddr("198.51.100.1")
		addr, err := plain.Client(request("10.0.0.1:80", "X-Forwarded-For: "+made+", 198.51.100.1"))
		if addr != want || err != nil {
			t.Errorf("client %v (%v) after %q", addr, err, made)
		}
		addr, err = forwarded.Client(request("10.0.0.1:80", "Forwarded: "+made+", for=198.51.100.1"))
		if proxyAddr := netip.MustParseAddr("10.0.0.1"); addr != want && (addr != proxyAddr || !errors.Is(err, proxy.ErrUnproven)) {
			t.Errorf("client %v (%v) after %q", addr, err, made)
		}
		for _, trusted := range []*proxy.Trust{plain, forwarded, nil} {
			for _, header := range []string{"X-Forwarded-For: ", "Forwarded: "} {
				r := request(peer, header+made)
				addr, err := trusted.Client(r)
				if err == nil && !addr.IsValid() || addr.Zone() != "" || addr.Is4In6() {
					t.Errorf("client %v (%v) for %q from %q", addr, err, made, peer)
				}
				own, _ := (*proxy.Trust)(nil).Client(r)
				if !trusted.PeerTrusted(r) && addr != own {
					t.Errorf("client %v for %q from the stranger %q", addr, made, peer)
				}
			}
		}
		if addr.IsValid() && !slices.Contains([]int{32, 64}, proxy.Group(addr).Bits()) {
			t.Errorf("%v is counted under %v", addr, proxy.Group(addr))
		}
	})
}
