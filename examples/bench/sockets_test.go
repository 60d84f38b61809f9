package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/examples/bench/sockets"
	"github.com/sallyport-go/sallyport/examples/bench/stacks"
)

var (
	slice       = flag.Duration("slice", 500*time.Millisecond, "how long requests are sent to an app over sockets at a time")
	atHalf      = flag.Duration("athalf", 2*time.Second, "how long requests are sent at half of what an app can serve")
	connections = flag.Int("connections", 32, "how many connections requests are sent over")
	profiles    = flag.String("profiles", "", "a folder for CPU profiles over sockets of bare apps, of ours, events counted, and of ours at half load; none by default")
	frameworks  = flag.String("frameworks", "", "the frameworks that are measured over sockets, with commas between; all by default")
)

// reloadSize is how many rules are reloaded when one is edited.
const reloadSize = 100_000

// app is what a process serves.
type app struct {
	framework, guard string
	observer         string
	reloading        bool // watches a policy of reloadSize rules, edited each second
}

func (a app) String() string {
	return fmt.Sprintf("framework=%s/guard=%s/observer=%s/reloading=%v", a.framework, a.guard, a.observer, a.reloading)
}

func (a app) stack() (stacks.Stack, error) {
	for _, s := range served() {
		if s.Framework == a.framework && s.Guard == a.guard {
			return s, nil
		}
	}
	return stacks.Stack{}, fmt.Errorf("%v: there is no such stack", a)
}

func TestMain(m *testing.M) {
	if !sockets.Serving(serve) {
		os.Exit(m.Run())
	}
}

// serve serves the app whose String what is.
func serve(what string, l net.Listener) error {
	var a app
	if _, err := fmt.Sscanf(strings.NewReplacer("/", " ", "=", " ").Replace(what),
		"framework %s guard %s observer %s reloading %t", &a.framework, &a.guard, &a.observer, &a.reloading); err != nil {
		return err
	}
	s, err := a.stack()
	if err != nil {
		return err
	}
	w := stacks.NewWorld()
	if a.reloading {
		if w, err = reloadingWorld(); err != nil {
			return err
		}
	}
	o, err := openObserver(a.observer, nil)
	if err != nil {
		return err
	}
	w.Observer = o.Observer
	c, err := s.Open(w)
	if err != nil {
		return err
	}
	if a.reloading {
		go editEachSecond(w.Edit)
	}
	return c.Serve(l)
}

// reloadingWorld has its policy in files. It must not be kept: applications have no
// other copy of their rules, which would have to be looked at in each garbage collection.
func reloadingWorld() (w *stacks.World, err error) {
	w = stacks.NewWorldOf(reloadSize)
	w.Reloaded = func(_ context.Context, e casbinrules.ReloadEvent) {
		if e.Outcome != casbinrules.ReloadLoaded {
			fail("reload", e.Err)
		}
	}
	w.Folder, err = os.MkdirTemp("", "policy")
	return w, err
}

func editEachSecond(edit func() error) {
	for range time.Tick(time.Second) {
		if err := edit(); err != nil {
			fail("edit", err)
		}
	}
}

// fail ends a server that does not do what is measured.
func fail(what string, err error) {
	slog.Error(what+" failed", "error", err)
	os.Exit(1)
}

// served are the stacks that are measured over sockets.
func served() []stacks.Stack {
	return slices.Concat(stacks.All(), stacks.FieldsAlone(), stacks.Authenticating())
}

// measured are the apps of each framework, the bare one first, so that what is
// compared is measured close together.
func measured() [][]app {
	var all [][]app
	for _, s := range served() {
		if *frameworks != "" && !slices.Contains(strings.Split(*frameworks, ","), s.Framework) {
			continue
		}
		a := app{framework: s.Framework, guard: s.Guard}
		of := slices.IndexFunc(all, func(apps []app) bool { return apps[0].framework == s.Framework })
		if of < 0 {
			all, of = append(all, nil), len(all)
		}
		told := []string{none}
		if s.Guard == stacks.Sallyport {
			told = observers()
		}
		for _, a.observer = range told {
			all[of] = append(all[of], a)
		}
	}
	return all
}

// client starts an app and connects to it. The function that is returned says how
// much time of a processor each of some requests takes.
func client(b *testing.B, a app, alone bool) (*sockets.Client, func() time.Duration) {
	b.Helper()
	profile := ""
	switch of := filepath.Join(*profiles, "sockets-"+a.framework); {
	case *profiles == "":
	case a.reloading:
		profile = filepath.Join(*profiles, "half.pprof")
	case !alone:
	case a.guard == stacks.Bare:
		profile = of + "-bare.pprof"
	case a.observer == counter:
		profile = of + ".pprof"
	}
	temporary(b)
	server, err := sockets.Start(a.String(), alone, profile)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stop(b, server) })
	w := stacks.NewWorld()
	tokens, err := w.Allowed(1)
	if err != nil {
		b.Fatal(err)
	}
	c, err := sockets.Dial(server.Address, *connections, stacks.Request(tokens[0]), 200)
	if err != nil {
		b.Fatalf("%v: %v", a, err)
	}
	b.Cleanup(c.Close)
	return c, func() time.Duration {
		took, err := server.Processor()
		if err != nil {
			b.Fatal(err)
		}
		return took
	}
}

func stop(b *testing.B, server *sockets.Server) {
	if err := server.Stop(); err != nil {
		b.Error(err)
	}
}

// send has requests sent for a while.
func send(b *testing.B, c *sockets.Client, window, every time.Duration) sockets.Result {
	b.Helper()
	r, err := c.Run(window, every)
	if err == nil && r.Requests == 0 {
		err = errors.New("no request was answered")
	}
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// BenchmarkSocket sends requests to apps on a processor of their own as fast as
// they are answered, over connections that stay.
func BenchmarkSocket(b *testing.B) {
	pin(b)
	for _, apps := range measured() {
		for _, a := range apps {
			name := "framework=" + a.framework + "/guard=" + a.guard
			if a.observer != none {
				name += "/observer=" + a.observer
			}
			b.Run(name, func(b *testing.B) {
				c, processor := client(b, a, true)
				send(b, c, *slice/4, 0)
				requests, elapsed, before := 0, time.Duration(0), processor()
				for b.Loop() {
					r := send(b, c, *slice, 0)
					requests, elapsed = requests+r.Requests, elapsed+r.Elapsed
				}
				b.ReportMetric(float64(elapsed.Nanoseconds())/float64(requests), "ns/op")
				b.ReportMetric(float64((processor()-before).Nanoseconds())/float64(requests), "cpu-ns/op")
				b.ReportMetric(float64(requests)/elapsed.Seconds(), "requests/s")
			})
		}
	}
}

// BenchmarkSocketHalf sends half as many requests as the guarded app can serve, at
// a fixed rate, to it while one rule of its policy changes each second, and to the
// bare one. All processors are there for each of them, and for the client.
func BenchmarkSocketHalf(b *testing.B) {
	pin(b)
	for _, apps := range measured() {
		framework := apps[0].framework
		ours := app{framework: framework, guard: stacks.Sallyport, observer: counter, reloading: true}
		var every time.Duration
		for _, a := range []app{ours, apps[0]} { // the bare one
			b.Run(fmt.Sprintf("framework=%s/guard=%s", framework, a.guard), func(b *testing.B) {
				c, _ := client(b, a, false)
				if full := send(b, c, *slice, 0); every == 0 {
					every = 2 * full.Elapsed / time.Duration(full.Requests)
				}
				var all sockets.Result
				for b.Loop() {
					r := send(b, c, *atHalf, every)
					all.Latencies = append(all.Latencies, r.Latencies...)
				}
				slices.Sort(all.Latencies)
				for unit, q := range map[string]float64{"ns/op": 0.5, "p99-ns": 0.99, "p999-ns": 0.999} {
					b.ReportMetric(float64(all.Quantile(q).Nanoseconds()), unit)
				}
				b.ReportMetric(float64(time.Second)/float64(every), "requests/s")
			})
		}
	}
}

// pin leaves all processors but the last to the servers while b runs.
func pin(b *testing.B) {
	b.Helper()
	if runtime.GOOS != "linux" {
		b.Skip("the client uses Linux's epoll")
	}
	unpin, err := sockets.Pin()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := unpin(); err != nil {
			b.Error(err)
		}
	})
}
