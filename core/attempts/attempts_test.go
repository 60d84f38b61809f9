package attempts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/proxy"
)

var (
	wrong   = &core.CredentialError{Reason: core.ReasonWrongSecret}
	expired = &core.CredentialError{Reason: core.ReasonExpired}
	outage  = &core.UnavailableError{Err: errors.New("store is down")}
)

// from is a request from an address.
func from(addr string, header ...string) core.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = addr
	if len(header) == 2 {
		r.Header.Set(header[0], header[1])
	}
	return &adapter.View{Request: r}
}

// bench is a limiter whose clock stands still. Its budgets are 3 failures and
// one a minute for an address, 5 and one a minute for an account.
type bench struct {
	*attempts.Limiter
	t   testing.TB
	now time.Time
}

func newBench(t testing.TB, opts ...attempts.Option) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Unix(1_700_000_000, 0)}
	l, err := attempts.New(append([]attempts.Option{
		attempts.WithAddressBudget(1, time.Minute, 3), attempts.WithAccountBudget(1, time.Minute, 5),
		attempts.WithClock(func() time.Time { return b.now }),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	b.Limiter = l
	return b
}

// try makes an attempt that ends with err, and says how long to wait instead if
// it is refused.
func (b *bench) try(addr, account string, err error) time.Duration {
	b.t.Helper()
	if wait := b.begins(addr, account); wait > 0 {
		return wait
	}
	b.Report(context.Background(), from(addr), account, err)
	return 0
}

// refused is how long to wait before an attempt, or 0. No attempt is made.
func (b *bench) refused(addr, account string) time.Duration {
	b.t.Helper()
	wait := b.begins(addr, account)
	if wait == 0 {
		b.Report(context.Background(), from(addr), account, outage)
	}
	return wait
}

// begins is how long to wait before an attempt, or 0 if one has begun.
func (b *bench) begins(addr, account string) time.Duration {
	b.t.Helper()
	err := b.Allow(context.Background(), from(addr), account)
	if err == nil {
		return 0
	}
	var limit *core.LimitError
	if !errors.As(err, &limit) || limit.RetryAfter <= 0 {
		b.t.Fatalf("Allow gives %v, want a LimitError with a time", err)
	}
	return limit.RetryAfter
}

// wants fails the test unless the attempt is refused for that long.
func (b *bench) wants(want time.Duration, addr, account string, err error) {
	b.t.Helper()
	if got := b.try(addr, account, err); got.Round(time.Millisecond) != want {
		b.t.Errorf("%s on %q: wait %v, want %v", addr, account, got, want)
	}
}

const (
	home, office, elsewhere = "192.0.2.1:80", "198.51.100.2:80", "203.0.113.3:80"
)

func TestAddressOverItsBudgetIsRefusedWhateverItSends(t *testing.T) {
	b := newBench(t)
	for _, account := range []string{"alice", "bob", ""} {
		b.wants(0, home, account, wrong)
	}
	for _, account := range []string{"alice", "bob", "carol", ""} {
		b.wants(time.Minute, home, account, nil)
	}
	b.wants(0, office, "bob", nil)
	b.now = b.now.Add(45 * time.Second)
	b.wants(15*time.Second, home, "carol", nil)
	b.now = b.now.Add(15 * time.Second)
	b.wants(0, home, "carol", wrong)
	b.wants(time.Minute, home, "carol", nil)
}

func TestSuccessTakesNoFailureBack(t *testing.T) {
	b := newBench(t)
	for range 3 {
		for range 10 {
			b.wants(0, home, "mallory", nil)
		}
		b.wants(0, home, "alice", wrong)
	}
	b.wants(time.Minute, home, "mallory", nil)
}

func TestOnlyGuessesCount(t *testing.T) {
	bad := func(reason core.Reason) error { return &core.CredentialError{Reason: reason} }
	for _, c := range []struct {
		err    error
		counts bool
	}{
		{nil, false},
		{wrong, true},
		{bad(core.ReasonUnknownPrincipal), true},
		{bad(core.ReasonMalformed), true},
		{bad(core.ReasonBadSignature), true},
		{bad(core.ReasonUnknownKey), true},
		{bad(core.ReasonBadAlgorithm), true},
		{bad("a_reason_of_its_own"), true},
		{bad(""), true},
		{fmt.Errorf("store: %w", wrong), true},
		{expired, false},
		{bad(core.ReasonNotYetValid), false},
		{bad(core.ReasonRevoked), false},
		{bad(core.ReasonStale), false},
		{bad(core.ReasonReplayed), false},
		{bad(core.ReasonWrongIssuer), false},
		{bad(core.ReasonWrongAudience), false},
		{bad(core.ReasonBadClaim), false},
		{bad(core.ReasonAccountState), false},
		{bad(core.ReasonWeakAuthentication), false},
		{bad(basic.ReasonPlainHTTP), false},
		{bad(digest.ReasonForeignNonce), false},
		{bad(digest.ReasonWrongRealm), false},
		{bad("harmless"), false},
		{outage, false},
		{errors.Join(wrong, outage), false},
		{&core.InternalError{Err: wrong}, false},
		{core.ErrNoCredentials, false},
		{core.ErrAmbiguousCredentials, false},
		{context.Canceled, false},
	} {
		b := newBench(t, attempts.WithIgnoredReasons("harmless"))
		for range 3 {
			b.wants(0, home, "", c.err)
		}
		if counts := b.refused(home, "") > 0; counts != c.counts {
			t.Errorf("%v counts: %v", c.err, counts)
		}
	}
}

// attack uses up the budget of an account, each failure from another address.
func (b *bench) attack(account string) {
	b.t.Helper()
	for i := range 5 {
		b.wants(0, fmt.Sprintf("10.0.0.%d:80", i), account, wrong)
	}
}

func TestAccountOverItsBudgetRefusesWhoFailedOnIt(t *testing.T) {
	b := newBench(t)
	b.attack("alice")
	b.wants(time.Minute, "10.0.0.1:80", "alice", nil)
	b.wants(time.Minute, "10.0.0.1:80", "ALICE", nil)        // in any letter case
	b.wants(time.Minute, "10.0.0.1:80", "alice \u00a0", nil) // and with space around it
	b.wants(0, "10.0.0.1:80", "bob", nil)
	b.now = b.now.Add(time.Minute)
	b.wants(0, "10.0.0.1:80", "alice", wrong)
	b.wants(time.Minute, "10.0.0.2:80", "alice", nil)
}

func TestNobodyIsLockedOutFromElsewhere(t *testing.T) {
	b := newBench(t)
	b.wants(0, office, "alice", nil)
	b.attack("alice")
	b.wants(0, elsewhere, "alice", wrong) // each address has its first attempt
	b.wants(2*time.Minute, elsewhere, "alice", wrong)
	b.wants(0, home, "alice", nil) // and so has the owner
	for range 10 {
		b.wants(0, home, "alice", nil) // who is known from then on
	}
	b.wants(0, office, "alice", wrong) // as from where it was before
	b.wants(0, office, "alice", wrong)
	b.wants(0, office, "alice", wrong)
	b.wants(time.Minute, office, "alice", nil) // within the budget of the address
}

func TestKnownAddressIsForgotten(t *testing.T) {
	b := newBench(t, attempts.WithKnownAddressLifetime(time.Hour))
	b.wants(0, office, "alice", nil)
	b.now = b.now.Add(time.Hour - time.Second)
	b.attack("alice")
	b.wants(0, office, "alice", wrong)
	b.wants(0, office, "alice", wrong)
	b.now = b.now.Add(time.Second)
	if b.refused(office, "alice") == 0 {
		t.Error("an address is known for longer than an hour")
	}
}

// TestAttemptsOnAttackedAccount: an address has one attempt in the longest wait,
// however long the account is over its budget.
func TestAttemptsOnAttackedAccount(t *testing.T) {
	b := newBench(t, attempts.WithMaxWait(5*time.Minute))
	attacked := 0
	attack := func() { // enough to keep the account in debt
		for range 8 {
			attacked++
			b.Report(context.Background(), from(fmt.Sprintf("10.0.%d.%d:80", attacked/250, attacked%250)), "alice", wrong)
		}
	}
	attack()
	passed := 0
	for range 30 {
		if b.try(home, "alice", wrong) == 0 {
			passed++
		}
		b.now = b.now.Add(61 * time.Second)
		attack()
	}
	if passed != 6 {
		t.Errorf("%d attempts in 30 minutes, want 6", passed)
	}
}

func TestFirstAttemptIsOne(t *testing.T) {
	b := newBench(t)
	b.attack("alice")
	if wait := b.begins(home, "alice"); wait != 0 {
		t.Fatalf("the first attempt is told to wait %v", wait)
	}
	if b.begins(home, "alice") == 0 {
		t.Error("a second attempt passes while the first is under way")
	}
	b.Report(context.Background(), from(home), "alice", outage)
	if wait := b.begins(home, "alice"); wait != 0 {
		t.Errorf("an outage has used up the attempt: wait %v", wait)
	}
	b.Report(context.Background(), from(home), "alice", expired)
	if wait := b.begins(home, "alice"); wait != 0 {
		t.Errorf("an expired credential has used up the attempt: wait %v", wait)
	}
	b.Report(context.Background(), from(home), "alice", wrong)
	b.Report(context.Background(), from(home), "alice", outage)
	if b.begins(home, "alice") == 0 {
		t.Error("an outage gives back an attempt that failed")
	}
}

// TestSuccessGivesBackTheAttempt: an IPv6 network has its first attempt on an attacked
// account again after one that succeeded.
func TestSuccessGivesBackTheAttempt(t *testing.T) {
	b := newBench(t)
	b.attack("alice")
	b.wants(0, "[2001:db8:1:1::1]:5", "alice", nil)
	b.wants(0, "[2001:db8:1:2::1]:5", "alice", wrong)
	if b.refused("[2001:db8:1:3::1]:5", "alice") == 0 {
		t.Error("a failure leaves the network another attempt")
	}
}

// TestDebtIsBounded: however often an account was attacked, it is forgiven a whole
// budget after the longest wait.
func TestDebtIsBounded(t *testing.T) {
	b := newBench(t)
	for i := range 200 {
		b.Report(context.Background(), from(fmt.Sprintf("10.0.0.%d:80", i)), "alice", wrong)
	}
	b.now = b.now.Add(19 * time.Minute)
	for range 3 {
		b.wants(0, home, "alice", wrong)
	}
}

func TestUnknownAccountIsTreatedLikeAKnownOne(t *testing.T) {
	unknown := &core.CredentialError{Reason: core.ReasonUnknownPrincipal}
	for _, addr := range []string{home, "10.0.0.1:80"} {
		b := newBench(t)
		for i := range 5 {
			addr := fmt.Sprintf("10.0.0.%d:80", i)
			b.wants(0, addr, "alice", wrong)
			b.wants(0, addr, "nobody", unknown)
		}
		one := b.Allow(context.Background(), from(addr), "alice")
		other := b.Allow(context.Background(), from(addr), "nobody")
		if fmt.Sprint(one) != fmt.Sprint(other) || b.begins(addr, "alice") != b.begins(addr, "nobody") {
			t.Errorf("%v for an account that exists, %v for one that does not", one, other)
		}
	}
}

func TestClientsByAddress(t *testing.T) {
	trusted, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, proxy.WithUnixSocket())
	if err != nil {
		t.Fatal(err)
	}
	const xff = "X-Forwarded-For"
	for _, c := range []struct {
		name       string
		one, other core.Request
		same       bool
		opts       []attempts.Option
	}{
		{"ports", from("192.0.2.1:80"), from("192.0.2.1:81"), true, nil},
		{"neighbours", from("192.0.2.1:80"), from("192.0.2.2:80"), false, nil},
		{"IPv4-mapped", from("192.0.2.1:80"), from("[::ffff:192.0.2.1]:80"), true, nil},
		{"one /64", from("[2001:db8::1]:80"), from("[2001:db8::ffff:1]:80"), true, nil},
		{"two of them", from("[2001:db8::1]:80"), from("[2001:db8:0:1::1]:80"), false, nil},
		{"headers from strangers", from("192.0.2.1:80", xff, "198.51.100.1"), from("192.0.2.1:80", xff, "198.51.100.2"), true, nil},
		{"the same behind proxies", from("192.0.2.1:80", xff, "198.51.100.1"), from("192.0.2.1:80", xff, "198.51.100.2"), true,
			[]attempts.Option{attempts.WithTrustedProxies(trusted)}},
		{"clients behind a proxy", from("10.0.0.1:80", xff, "198.51.100.1"), from("10.0.0.1:80", xff, "198.51.100.2"), false,
			[]attempts.Option{attempts.WithTrustedProxies(trusted)}},
		{"a client behind two proxies", from("10.0.0.1:80", xff, "198.51.100.1"), from("10.0.0.2:80", xff, "x, 198.51.100.1"), true,
			[]attempts.Option{attempts.WithTrustedProxies(trusted)}},
		{"clients on a socket", from("@", xff, "198.51.100.1"), from("@", xff, "198.51.100.2"), false,
			[]attempts.Option{attempts.WithTrustedProxies(trusted)}},
		{"peers without address", from("@"), from(""), true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.opts...)
			for range 3 {
				b.Report(context.Background(), c.one, "", wrong)
			}
			if b.Allow(context.Background(), c.one, "") == nil {
				t.Error("the failures are not counted")
			}
			if same := b.Allow(context.Background(), c.other, "") != nil; same != c.same {
				t.Errorf("counted as one: %v", same)
			}
		})
	}
}

// TestEventText: the cause in an event names address and number, not the
// account.
func TestEventText(t *testing.T) {
	b := newBench(t)
	b.attack("alice")
	for range 3 {
		b.Report(context.Background(), from("[2001:db8::1]:80"), "alice", wrong)
		b.Report(context.Background(), from("@"), "alice", wrong)
		b.Report(context.Background(), from(home), "", wrong)
	}
	for addr, want := range map[string]string{
		"[2001:db8::9]:80": "too many attempts: address 2001:db8::/64 has failed 3 times",
		"@":                "too many attempts: address unknown has failed 3 times",
		home:               "too many attempts: address 192.0.2.1 has failed 3 times",
		"10.0.0.1:80":      "too many attempts: an account that address 10.0.0.1 has failed for has failed 11 times",
	} {
		if err := b.Allow(context.Background(), from(addr), "alice"); fmt.Sprint(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
