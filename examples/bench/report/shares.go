package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// part is what a request is made of. A sample belongs to the part that one of its
// functions is of, the innermost first, and else to the framework and the server.
type part struct {
	name string
	of   *regexp.Regexp
}

const own = `sallyport-go/sallyport/`

var parts = []part{
	{"memory: allocation and garbage collection", regexp.MustCompile(`^runtime\.(mallocgc|newobject|makeslice|makemap|growslice|gcBgMarkWorker|gcStart|gcAssistAlloc|bgsweep|bgscavenge|wbBufFlush)`)},
	{"clock", regexp.MustCompile(`^time\.(Now|Since|Until)$`)},
	{"token", regexp.MustCompile(own + `core/(bearer|jwtauth|internal/tokenscheme|internal/cache)`)},
	{"decision", regexp.MustCompile(own + `casbinrules`)},
	{"canonical path", regexp.MustCompile(own + `core/internal/canonical`)},
	{"route", regexp.MustCompile(own + `.*(/routing\.|\.Route$|\.locate$|\.routedAlike$|\.foundBy$|\.finds$|\.matchesRoute$|resolverFor)`)},
	{"fields of the request", regexp.MustCompile(own + `.*\.(Header|IDs|from|RemoteAddr|RemoteAddrPort|Method|CopyOfMethod)$`)},
	{"fields of the response", regexp.MustCompile(own + `.*\.(AddFields|addField|writeHeader|KeepFields|DecideCaching|Keep)$`)},
	{"context and seal", regexp.MustCompile(own + `.*(AuthContext\)|Seal\)|Watched\)|identity\)\.context|authContext|\.begin$|setContext|newView|\.Decided?$|\.Leave$|\.free$)|^net/http\.\(\*Request\)\.WithContext`)},
	{"event", regexp.MustCompile(own + `.*\.(observe|observeOne|Observe)$`)},
	{"gates", regexp.MustCompile(own + `(core|ginauth|echoauth|fiberauth)[./]`)},
	{"kernel", regexp.MustCompile(`^(internal/runtime/syscall|syscall)\b`)},
	{"framework and server", regexp.MustCompile(``)},
}

// served is what is neither ours nor a gate's although a gate or a seal calls it: the
// handler, and the server's response.
var served = regexp.MustCompile(`^net/http\.\(\*(response|chunkWriter)\)|` + own + `examples/bench/stacks\.(\w+App|init)\.`)

// partOf is the place in parts of a sample with these functions, the innermost
// first.
func partOf(stack []string) int {
	for _, function := range stack {
		if served.MatchString(function) {
			break
		}
		if i := slices.IndexFunc(parts[:len(parts)-1], func(p part) bool { return p.of.MatchString(function) }); i >= 0 {
			return i
		}
	}
	return len(parts) - 1
}

// shares are how much of the samples in what pprof -traces has printed belongs to
// each of parts, together 1.
func shares(file string) ([]float64, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // which was only read
	all, total := make([]float64, len(parts)), 0.0
	var stack []string
	var took time.Duration
	count := func() {
		all[partOf(stack)] += took.Seconds()
		total += took.Seconds()
		stack, took = nil, 0
	}
	lines := bufio.NewScanner(f)
	for begun := false; lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case strings.HasPrefix(lines.Text(), "-----------+"):
			begun = true
			count()
		case !begun || len(fields) == 0:
		case took == 0:
			if took, err = time.ParseDuration(fields[0]); err != nil || len(fields) < 2 {
				return nil, fmt.Errorf("%s: no sample: %q", file, lines.Text())
			}
			stack = append(stack, fields[1])
		default:
			stack = append(stack, fields[0])
		}
	}
	count()
	if total == 0 {
		return nil, fmt.Errorf("%s: it holds no samples", file)
	}
	for i := range all {
		all[i] /= total
	}
	return all, lines.Err()
}

// bareShares is the end of the names of profiles of bare apps.
const bareShares = "-bare"

// readShares reads the samples of guarded apps, sockets-FRAMEWORK.traces, and of
// bare ones, sockets-FRAMEWORK-bare.traces.
func (r *results) readShares(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "sockets-*.traces"))
	if err != nil {
		return err
	}
	for _, file := range files {
		of, err := shares(file)
		if err != nil {
			return err
		}
		r.shares[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "sockets-"), ".traces")] = of
	}
	return nil
}

// shareTable has a part in each row and a framework in each column, with the time of
// a processor that the part takes of a request: in the bare app, and in the guarded one.
func shareTable(r *results) string {
	t := table{head: []string{"part"}}
	rows := make([][]string, len(parts)+1)
	for i, p := range parts {
		rows[i] = []string{p.name}
	}
	rows[len(parts)] = []string{"together"}
	for _, name := range r.distinct("Socket/", "framework") {
		bare, known := r.median(socketName(name, "bare", ""), processorTime)
		guarded, ok := r.median(socketName(name, ours, counter), processorTime)
		if !known || !ok || r.shares[name] == nil || r.shares[name+bareShares] == nil {
			continue
		}
		t.head = append(t.head, name)
		cell := func(before, after float64) string { return trimmed(before*1e6, 2) + " → " + trimmed(after*1e6, 2) }
		for i := range parts {
			rows[i] = append(rows[i], cell(bare*r.shares[name+bareShares][i], guarded*r.shares[name][i]))
		}
		rows[len(parts)] = append(rows[len(parts)], cell(bare, guarded))
	}
	if len(t.head) == 1 {
		return "No profile was taken.\n"
	}
	t.rows = rows
	return t.String()
}
