package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

const ours = "sallyport"

// target is one row of what must be reached.
type target struct {
	work, goal string
	// before is what the others took when the target was set, on another
	// machine.
	before string
	// profile names the listing that shows where the time goes.
	profile string
	measure func(*results) outcome
}

// sharesOnPage stands for the profiles that the page for users has as a table.
const sharesOnPage = "sockets"

// outcome is what was measured for a target. Nothing was when ours is "".
type outcome struct {
	ours, peers string
	short       string // for ours, where that is long
	reached     bool
}

func (o outcome) verdict() string {
	switch {
	case o.ours == "":
		return "not measured"
	case o.reached:
		return "reached"
	default:
		return "**missed**"
	}
}

// targets are in the order of the page.
var targets = []target{
	{"decision, roles and keyMatch2, 10 … 1,000,000 rules", "≤ 150 ns, 0 allocs, at 1,000,000 rules ≤ 1.5 × the time at 1,000", "51 µs … 36 ms at 100,000", "rbac",
		func(r *results) outcome { return decisions(r, "rbac", []string{"allow"}, 150e-9) }},
	{"decision, exact match, 10 … 1,000,000 rules", "≤ 70 ns, 0 allocs, at 1,000,000 rules ≤ 1.5 × the time at 1,000", "6 µs … 44 ms", "exact",
		func(r *results) outcome { return decisions(r, "exact", []string{"allow"}, 70e-9) }},
	{"denial, known and unknown subject", "≤ 150 ns, 0 allocs, nothing kept", "96 µs … 67 ms, memory kept", "deny", denials},
	{"load of 100,000 rules and 100,000 role links, diagnostics included", "≤ 0.30 s, ≤ 60 MB live", "1.0–1.4 s, 128 MB live, 1.1 GB allocated", "load", load},
	{"decisions on all cores, 10,000 rules reloaded every 100 ms", "≥ 10,000,000/s, longest stall ≤ 10 ms", "166/s", "reload", reloaded},
	{"request, HS256, first sight of a token, over the bare handler", "≤ 5 µs", "262–290 µs", "first",
		func(r *results) outcome { return requests(r, "first", 5e-6, 5e-6, math.Inf(1)) }},
	{"request, token seen before, over the bare handler", "≤ 1.2 µs, Fiber ≤ 1.5 µs, ≤ 2 allocs", "262–290 µs", "cached",
		func(r *results) outcome { return requests(r, "cached", 1.2e-6, 1.5e-6, 2) }},
	{"403, token seen before, over the bare handler", "≤ 1.2 µs", "690–750 µs", "forbidden",
		func(r *results) outcome { return requests(r, "forbidden", 1.2e-6, 1.2e-6, math.Inf(1)) }},
	{"401 without credentials, over the bare handler", "≤ 500 ns, ≤ 2 allocs", "108–1,530 ns", "missing",
		func(r *results) outcome { return requests(r, "missing", 500e-9, 500e-9, 2) }},
	{"requests a second over sockets, for each of the bare app's, events counted", "≥ 0.97, Fiber ≥ 0.93", "", sharesOnPage,
		func(r *results) outcome { return overSockets(r, counter, 0.97, 0.93) }},
	{"the same with OpenTelemetry", "≥ 0.93, Fiber ≥ 0.88", "", sharesOnPage,
		func(r *results) outcome { return overSockets(r, withMetrics, 0.93, 0.88) }},
	{"p99.9 at half load, 100,000 rules reloaded every second", "≤ 1.5 × the bare app's", "", "half",
		func(r *results) outcome { return atHalfLoad(r, 1.5) }},
	{"a verdict in OpenTelemetry's metrics, processor time", "≤ 100 ns, 0 allocs", "", "",
		func(r *results) outcome { return verdicts(r, 100e-9) }},
}

// within reports whether v is at most limit, but for the last digits that
// binary fractions lose.
func within(v, limit float64) bool { return v <= limit*(1+1e-9) }

// verdicts judges what core/telemetry takes for a verdict of each kind.
func verdicts(r *results, limit float64) outcome {
	o := outcome{reached: true}
	var times []float64
	allocs := 0.0
	for _, kind := range []string{"allowed", "forbidden", "unauthenticated"} {
		took, ok := r.median("Verdict/"+kind, processorTime)
		if !ok {
			continue
		}
		n, _ := r.median("Verdict/"+kind, allocsOp)
		times, allocs = append(times, took), max(allocs, n)
	}
	if len(times) == 0 {
		return outcome{}
	}
	slowest := slices.Max(times)
	o.ours = fmt.Sprintf("%s, %s allocs", span(slices.Min(times), slowest), digits(allocs))
	o.reached = within(slowest, limit) && allocs == 0
	return o
}

// span writes two times, or one if they read the same.
func span(from, to float64) string {
	if a, z := duration(from), duration(to); a != z {
		return a + " … " + z
	}
	return duration(to)
}

// decisions judges all sizes of a model by the slowest, and its growth.
func decisions(r *results, model string, cases []string, limit float64) outcome {
	o := outcome{reached: true}
	var low, high, allocs, growth float64
	for _, c := range cases {
		for _, n := range r.distinct("Decision/model="+model+"/engine="+ours+"/", "rules") {
			name := decision(model, ours, n, c)
			v, ok := r.median(name, seconds)
			if !ok {
				continue
			}
			if low == 0 || v < low {
				low = v
			}
			high = max(high, v)
			a, _ := r.median(name, allocsOp)
			allocs = max(allocs, a)
		}
		small, _ := r.median(decision(model, ours, "1000", c), seconds)
		large, ok := r.median(decision(model, ours, "1000000", c), seconds)
		if ok && small > 0 {
			growth = max(growth, large/small)
		}
	}
	if high == 0 {
		return outcome{}
	}
	o.ours = fmt.Sprintf("%s, %s allocs", span(low, high), digits(allocs))
	if growth > 0 {
		o.ours += fmt.Sprintf(", grows %s", ratio(growth, 1))
	}
	o.peers = peerDecisions(r, model, cases)
	o.reached = within(high, limit) && allocs == 0 && growth > 0 && within(growth, 1.5)
	return o
}

func decision(model, engine, rules, c string) string {
	return "Decision/model=" + model + "/engine=" + engine + "/rules=" + rules + "/case=" + c
}

// peerDecisions is the span of Casbin's plain enforcer, which all the others
// that scan are like.
func peerDecisions(r *results, model string, cases []string) string {
	var spans []string
	for _, engine := range []string{"casbin", "cedar"} {
		sizes := r.distinct("Decision/model="+model+"/engine="+engine+"/", "rules")
		if len(sizes) == 0 {
			continue
		}
		last := sizes[len(sizes)-1]
		var from, to float64
		for _, c := range cases {
			a, _ := r.median(decision(model, engine, sizes[0], c), seconds)
			z, _ := r.median(decision(model, engine, last, c), seconds)
			from, to = max(from, a), max(to, z)
		}
		spans = append(spans, fmt.Sprintf("%s %s at %s", engine, span(from, to), rulesText(last)))
	}
	return strings.Join(spans, "; ")
}

func denials(r *results) outcome {
	o := decisions(r, "rbac", []string{"deny", "unknown"}, 150e-9)
	if o.ours == "" {
		return o
	}
	// Growth is no part of this target.
	o.reached = true
	for _, n := range r.distinct("Decision/model=rbac/engine="+ours+"/", "rules") {
		for _, c := range []string{"deny", "unknown"} {
			v, _ := r.median(decision("rbac", ours, n, c), seconds)
			a, _ := r.median(decision("rbac", ours, n, c), allocsOp)
			o.reached = o.reached && within(v, 150e-9) && a == 0
		}
	}
	kept, ok := 0.0, false
	for _, n := range r.distinct("Strangers/engine="+ours+"/", "rules") {
		k, measured := r.median("Strangers/engine="+ours+"/rules="+n, keptBytes)
		kept, ok = max(kept, k), ok || measured
	}
	o.ours += fmt.Sprintf(", %s kept a decision", size(math.Round(kept)))
	o.reached = o.reached && ok && kept < 1
	if n := r.distinct("Strangers/engine=casbin/", "rules"); len(n) > 0 {
		k, _ := r.median("Strangers/engine=casbin/rules="+n[len(n)-1], keptBytes)
		o.peers += fmt.Sprintf("; casbin keeps %s a subject at %s", size(k), rulesText(n[len(n)-1]))
	}
	return o
}

func load(r *results) outcome {
	name := "Load/engine=" + ours + "/rules=100000"
	took, ok := r.median(name, seconds)
	if !ok {
		return outcome{}
	}
	live, _ := r.median(name, liveBytes)
	o := outcome{ours: duration(took) + ", " + size(live) + " live", reached: within(took, 0.3) && within(live, 60e6)}
	var peers []string
	for _, engine := range r.distinct("Load/", "engine") {
		if engine == ours {
			continue
		}
		name := "Load/engine=" + engine + "/rules=100000"
		if took, ok := r.median(name, seconds); ok {
			live, _ := r.median(name, liveBytes)
			peers = append(peers, fmt.Sprintf("%s %s, %s", engine, duration(took), size(live)))
		}
	}
	o.peers = strings.Join(peers, "; ")
	return o
}

func reloaded(r *results) outcome {
	name := "Reload/engine=" + ours + "/rules=10000"
	rate, ok := r.median(name, perSecond)
	if !ok {
		return outcome{}
	}
	longest, _ := r.median(name, stall)
	o := outcome{
		ours:    fmt.Sprintf("%s/s, longest stall %s", digits(rate), duration(longest)),
		reached: within(10e6, rate) && within(longest, 10e-3),
	}
	var peers []string
	for _, engine := range r.distinct("Reload/", "engine") {
		if engine == ours {
			continue
		}
		name := "Reload/engine=" + engine + "/rules=10000"
		if rate, ok := r.median(name, perSecond); ok {
			longest, _ := r.median(name, stall)
			peers = append(peers, fmt.Sprintf("%s %s/s, %s", engine, digits(rate), duration(longest)))
		}
	}
	o.peers = strings.Join(peers, "; ")
	return o
}

// requests judges a case on each framework.
func requests(r *results, c string, limit, onFiber, allocs float64) outcome {
	var o outcome
	var parts []string
	var times, counts []float64
	o.reached = true
	for _, framework := range r.distinct("Request/", "framework") {
		took, count, ok := r.overBare(framework, ours, c)
		if !ok {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s, %s allocs", framework, duration(took), digits(count)))
		times, counts = append(times, took), append(counts, count)
		o.reached = o.reached && within(took, limitOn(framework, limit, onFiber)) && count <= allocs
	}
	o.ours = strings.Join(parts, "; ")
	if len(parts) > 0 {
		o.short = fmt.Sprintf("%s, at most %s allocs", span(slices.Min(times), slices.Max(times)), digits(slices.Max(counts)))
	}
	var peers []float64
	for _, framework := range r.distinct("Request/", "framework") {
		for _, guard := range r.distinct("Request/framework="+framework+"/", "guard") {
			if took, _, ok := r.overBare(framework, guard, c); ok && guard != ours {
				peers = append(peers, took)
			}
		}
	}
	if len(peers) > 0 {
		o.peers = span(slices.Min(peers), slices.Max(peers))
	}
	return o
}

// limitOn is the limit of a target that has another one on Fiber.
func limitOn(framework string, limit, onFiber float64) float64 {
	if strings.HasPrefix(framework, "fiber") {
		return onFiber
	}
	return limit
}

// overBare is what a guard adds to the time and the allocations of a request.
func (r *results) overBare(framework, guard, c string) (took, allocs float64, ok bool) {
	prefix := "Request/framework=" + framework + "/guard="
	name, bare := prefix+guard+"/case="+c, prefix+"bare/case=bare"
	with, ok := r.median(name, seconds)
	without, known := r.median(bare, seconds)
	if !ok || !known {
		return 0, 0, false
	}
	a, _ := r.median(name, allocsOp)
	b, _ := r.median(bare, allocsOp)
	return with - without, a - b, true
}
