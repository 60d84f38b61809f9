package replay

import (
	"maps"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// WithFewKinds limits the kinds of lines that are kept.
func WithFewKinds(s Settings) Settings {
	s.kinds = 50
	return s
}

func scanned(text []byte) (*line, bool) {
	part, _, _, ok := cut(text)
	if !ok {
		return nil, false
	}
	l := &line{Request: &decisionlog.Request{Attributes: map[string]string{}}}
	return l, scanPart(string(part), l)
}

// scanSeeds are lines of the log, and near misses. Good is set if they are scanned.
var scanSeeds = []struct {
	text string
	good bool
}{
	{`{"v":1,"kind":"decision","seq":12,"time":"2026-11-29T01:02:03.004Z","outcome":"forbidden","status":403,"reason":"no_rule_matched","gate":"authorize","scheme":"Bearer","revision":"9f2c","request":{"principal":"victor","tenant":"acme","token_roles":["viewer","a\"b"],"policy_roles":["reader"],"method":"PATCH","action":"PATCH","route":"/reports/:id","resource":"/reports/7","folded":3,"readings":2,"attributes":{"region":"eu","a":"\u0000"},"cut":true},"duration_us":18,"client":"192.0.2.7","request_id":"r","trace_id":"t","cause":"c\\","chain":"00"}`, true},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":""},"duration_us":-1}`, true},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":200,"gate":"authorize","request":{"principal":"é𝄞\ud834\udd1e\ud834\u202e","method":"GET"},"duration_us":0,"client":"\t"}`, true},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-02-30T01:02:03Z","status":0,"request":{"method":""},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":01,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":""},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":0,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":""},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":99999999999999999999,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":""},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":""},"duration_us":00}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":""},"duration_us":1,"client":"\x"}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":""},"duration_us":1,"client":"a"`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":""},"duration_us":1}}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"status":1,"request":{"method":""},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":"GET","method":"PUT"},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":"GET","attributes":{}},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":0,"request":{"method":"GET","token_roles":[]},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","status":01,"request":{"method":"GET"},"duration_us":1}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","request":{"attributes":{"a":"},\"duration_us\":"},"method":"GET"},"duration_us":1}`, false},
	{`{"kind":"decision","v":1,"seq":1,"time":"2026-11-29T01:02:03Z","request":{"method":"GET"}}`, false},
	{`{"v":1,"kind":"decision","seq":1,"time":"2026-11-29T01:02:03Z","outcome":null,"request":{"method":"GET"},"duration_us":1}`, false},
	{"{\"v\":1,\"kind\":\"decision\",\"seq\":1,\"time\":\"2026-11-29T01:02:03Z\",\"request\":{\"method\":\"\xff\"},\"duration_us\":1,\"cause\":\"\xff\"}", true},
	{"{\"v\":1,\"kind\":\"decision\",\"seq\":1,\"time\":\"2026-11-29T01:02:03Z\",\"request\":{\"method\":\"\x01\"},\"duration_us\":1}", false},
	{"{\"v\":1,\"kind\":\"decision\",\"seq\":1,\"time\":\"2026-11-29T01:02:03Z\",\"request\":{\"method\":\"\"},\"duration_us\":1}\r", false},
}

// FuzzScan: a scanned line equals that of encoding/json, in every relevant field.
func FuzzScan(f *testing.F) {
	for _, seed := range scanSeeds {
		f.Add([]byte(seed.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		checkScan(t, text)
	})
}

func checkScan(t *testing.T, text []byte) (ok bool) {
	t.Helper()
	_, at, seq, _ := cut(text)
	got, ok := scanned(text)
	if !ok {
		return false
	}
	record, err := decisionlog.Parse(text)
	if err != nil {
		t.Fatalf("%q is scanned: %v", text, err)
	}
	want, r, q := line{record.Time, record.Outcome, record.Reason, record.Gate, record.Rule, record.Revision, record.Request}, got.Request, record.Request
	if record.Kind != decisionlog.KindDecision || q == nil || record.Seq != seq {
		t.Fatalf("%q is scanned, number %d: %+v", text, seq, record)
	}
	if !at.Equal(want.Time) {
		t.Fatalf("%q is scanned: %s", text, at)
	}
	if got.Outcome != want.Outcome || got.Reason != want.Reason || got.Gate != want.Gate || got.Rule != want.Rule || got.Revision != want.Revision ||
		r.Principal != q.Principal || r.Tenant != q.Tenant || !slices.Equal(r.TokenRoles, q.TokenRoles) || !slices.Equal(r.PolicyRoles, q.PolicyRoles) ||
		r.Method != q.Method || r.Action != q.Action || r.Name != q.Name || r.Route != q.Route || r.Resource != q.Resource ||
		r.Folded != q.Folded || r.Readings != q.Readings || r.Cut != q.Cut || !maps.Equal(r.Attributes, q.Attributes) {
		t.Fatalf("%q\ngot  %+v %+v\nwant %+v %+v", text, got, r, want, q)
	}
	return true
}

func TestScan(t *testing.T) {
	t.Parallel()
	for _, seed := range scanSeeds {
		if got := checkScan(t, []byte(seed.text)); got != seed.good {
			t.Errorf("%q is scanned: %t", seed.text, got)
		}
	}
}
