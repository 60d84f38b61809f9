package main

import (
	"fmt"
	"slices"
	"strings"
)

// Observers of our guard, as BenchmarkSocket and BenchmarkObserved name them.
const counter, withMetrics, withDecisions, withChain, withLog = "counter", "telemetry", "decisions", "chain", "log"

// observers are the columns of their tables.
var observers = []struct{ name, title string }{
	{counter, "Sallyport, events counted"}, {withMetrics, "with OpenTelemetry"}, {withDecisions, "with a decision log"},
	{withChain, "with a chained one"}, {withLog, "with the log"},
}

func socketName(framework, guard, observer string) string {
	name := "Socket/framework=" + framework + "/guard=" + guard
	if observer != "" {
		name += "/observer=" + observer
	}
	return name
}

// besideBare is how many requests an app answers in a second, for each that the
// bare app of its framework does.
func (r *results) besideBare(framework, guard, observer string) (float64, bool) {
	with, ok := r.median(socketName(framework, guard, observer), requestRate)
	without, known := r.median(socketName(framework, "bare", ""), requestRate)
	return with / without, ok && known && without > 0
}

// fieldsAlone is an app without a guard that sets the fields of one.
const fieldsAlone = "fields"

// peersOver are the guards of others that were measured over sockets.
func (r *results) peersOver(framework string) (peers []string) {
	for _, guard := range r.distinct("Socket/framework="+framework+"/", "guard") {
		if _, ok := r.besideBare(framework, guard, ""); ok && guard != "bare" && guard != fieldsAlone {
			peers = append(peers, guard)
		}
	}
	return peers
}

// socketTable has a framework in each row, and in each column what is left of its
// requests with a guard.
func socketTable(r *results) string {
	t := table{head: []string{"framework", "without a guard", "its fields alone"}}
	for _, o := range observers {
		t.head = append(t.head, o.title)
	}
	t.head = append(t.head, "others")
	for _, framework := range r.distinct("Socket/", "framework") {
		bare, _ := r.median(socketName(framework, "bare", ""), requestRate)
		row := []string{framework, digits(bare) + "/s"}
		cell := func(guard, observer string) {
			if part, ok := r.besideBare(framework, guard, observer); ok {
				row = append(row, fraction(part))
			} else {
				row = append(row, notMeasured)
			}
		}
		cell(fieldsAlone, "")
		for _, o := range observers {
			cell(ours, o.name)
		}
		var others []string
		for _, guard := range r.peersOver(framework) {
			part, _ := r.besideBare(framework, guard, "")
			others = append(others, guard+" "+fraction(part))
		}
		t.add(append(row, orNone(strings.Join(others, "; ")))...)
	}
	return t.String()
}

// observedTable has a framework and a kind of answer in each row, and in each column
// the time of a request without a network over the bare handler, with its allocations
// and the decisions that a decision log has lost.
func observedTable(r *results) string {
	t := table{head: []string{"framework", "answer", "without a guard"}}
	for _, o := range observers {
		t.head = append(t.head, o.title)
	}
	for _, framework := range r.distinct("Observed/", "framework") {
		name := func(observer, answer string) string {
			return "Observed/framework=" + framework + "/observer=" + observer + "/case=" + answer
		}
		bare, known := r.median(name("bare", "allowed"), seconds)
		bareAllocs, _ := r.median(name("bare", "allowed"), allocsOp)
		for _, answer := range []string{"allowed", "forbidden"} {
			row := []string{framework, answer, duration(bare)}
			for _, o := range observers {
				cell := notMeasured
				if took, ok := r.median(name(o.name, answer), seconds); ok && known {
					allocs, _ := r.median(name(o.name, answer), allocsOp)
					cell = fmt.Sprintf("%s, %s allocs", duration(took-bare), digits(allocs-bareAllocs))
					if lost, _ := r.median(name(o.name, answer), lostShare); lost > 0 {
						cell += fmt.Sprintf(", %s lost", fraction(lost))
					}
				}
				row = append(row, cell)
			}
			t.add(row...)
		}
	}
	return t.String()
}

// fraction writes a part of one with two decimals, or as many as show more than zero.
func fraction(part float64) string {
	if part < 0.01 {
		return trimmed(part, 4)
	}
	return trimmed(part, 2)
}

// processorTable is how much time of a processor a request takes from its first to
// its last byte, the kernel's share included.
func processorTable(r *results) string {
	t := table{head: []string{"framework", "guard", "events", "requests a second", "processor time a request", "over the bare app"}}
	for _, name := range r.names {
		if !strings.HasPrefix(name, "Socket/") {
			continue
		}
		framework := key(name, "framework")
		rate, _ := r.median(name, requestRate)
		took, _ := r.median(name, processorTime)
		bare, known := r.median(socketName(framework, "bare", ""), processorTime)
		over := ""
		if guard := key(name, "guard"); known && guard != "bare" {
			over = duration(took - bare)
		}
		t.add(framework, key(name, "guard"), key(name, "observer"), digits(rate), duration(took), over)
	}
	return t.String()
}

// halfTable compares latencies while the policy is reloaded with those of the bare
// app.
func halfTable(r *results) string {
	t := table{head: []string{"framework", "requests a second", "median, bare", "median, Sallyport", "p99.9, bare", "p99.9, Sallyport", ""}}
	for _, framework := range r.distinct("SocketHalf/", "framework") {
		name := "SocketHalf/framework=" + framework + "/guard="
		rate, _ := r.median(name+ours, requestRate)
		row := []string{framework, digits(rate)}
		for _, unit := range []string{seconds, p999} {
			for _, guard := range []string{"bare", ours} {
				took, _ := r.median(name+guard, unit)
				row = append(row, duration(took))
			}
		}
		with, _ := r.median(name+ours, p999)
		without, _ := r.median(name+"bare", p999)
		t.add(append(row, ratio(with, without))...)
	}
	return t.String()
}

// overSockets judges what is left of the requests on each framework.
func overSockets(r *results, observer string, least, leastFiber float64) outcome {
	o := outcome{reached: true}
	var parts []string
	var rates, peers []float64
	for _, framework := range r.distinct("Socket/", "framework") {
		part, ok := r.besideBare(framework, ours, observer)
		if !ok {
			continue
		}
		parts = append(parts, framework+" "+fraction(part))
		rates = append(rates, part)
		o.reached = o.reached && within(limitOn(framework, least, leastFiber), part)
		for _, guard := range r.peersOver(framework) {
			part, _ := r.besideBare(framework, guard, "")
			peers = append(peers, part)
		}
	}
	if len(parts) == 0 {
		return outcome{}
	}
	o.ours, o.short = strings.Join(parts, "; "), partSpan(rates)
	if len(peers) > 0 {
		o.peers = partSpan(peers)
	}
	return o
}

func partSpan(parts []float64) string {
	low, high := fraction(slices.Min(parts)), fraction(slices.Max(parts))
	if low == high {
		return low
	}
	return low + " … " + high
}

// atHalfLoad judges the slowest of a thousand requests on each framework.
func atHalfLoad(r *results, limit float64) outcome {
	o := outcome{reached: true}
	var parts []string
	var times []float64
	for _, framework := range r.distinct("SocketHalf/", "framework") {
		name := "SocketHalf/framework=" + framework + "/guard="
		with, ok := r.median(name+ours, p999)
		without, known := r.median(name+"bare", p999)
		if !ok || !known {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s, bare %s", framework, duration(with), duration(without)))
		times = append(times, with/without)
		o.reached = o.reached && within(with, limit*without)
	}
	if len(parts) == 0 {
		return outcome{}
	}
	o.ours, o.short = strings.Join(parts, "; "), partSpan(times)+" × the bare app's"
	return o
}
