package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// Units as package benchfmt has them, whatever the raw output says.
const (
	seconds   = "sec/op"
	bytesOp   = "B/op"
	allocsOp  = "allocs/op"
	liveBytes = "live-B"
	keptBytes = "kept-B/decision"
	perSecond = "decisions/s"
	reloads   = "reloads/s"
	stall     = "stall-sec"

	requestRate   = "requests/s"
	processorTime = "cpu-sec/op"
	lostShare     = "lost/op"
	p999          = "p999-sec"
)

// results is what was measured, by the name of the benchmark without the number
// of processors.
type results struct {
	// facts are the lines of configuration, of the run and of the machine.
	facts map[string]string
	// names are the benchmarks in the order they were first read.
	names   []string
	samples map[string]map[string][]float64
	// packages say where a benchmark is.
	packages map[string]string
	// profiles are the listings of where time goes, by name.
	profiles map[string]string
	// shares are those of parts in what a request takes, by framework, and by framework
	// and bareShares for bare apps.
	shares map[string][]float64
}

// readResults reads all *.txt, *.profile and *.traces files of a folder.
func readResults(dir string) (*results, error) {
	r := &results{
		facts:    map[string]string{},
		samples:  map[string]map[string][]float64{},
		packages: map[string]string{},
		profiles: map[string]string{},
		shares:   map[string][]float64{},
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: there is no raw output (*.txt); run make bench first", dir)
	}
	for _, file := range files {
		if err := r.read(file); err != nil {
			return nil, err
		}
	}
	profiles, err := filepath.Glob(filepath.Join(dir, "*.profile"))
	if err != nil {
		return nil, err
	}
	for _, file := range profiles {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		r.profiles[strings.TrimSuffix(filepath.Base(file), ".profile")] = strings.TrimRight(string(text), "\n")
	}
	return r, r.readShares(dir)
}

func (r *results) read(name string) (err error) {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	reader := benchfmt.NewReader(file, name)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			r.add(record)
		case *benchfmt.SyntaxError:
			return record
		}
	}
	return reader.Err()
}

func (r *results) add(result *benchfmt.Result) {
	for _, c := range result.Config {
		r.facts[c.Key] = string(c.Value)
	}
	name := withoutProcessors(result.Name)
	if r.samples[name] == nil {
		r.samples[name] = map[string][]float64{}
		r.names = append(r.names, name)
		r.packages[name] = result.GetConfig("pkg")
	}
	for _, v := range result.Values {
		r.samples[name][v.Unit] = append(r.samples[name][v.Unit], v.Value)
	}
}

// withoutProcessors is the name without the "-2" at its end.
func withoutProcessors(name benchfmt.Name) string {
	base, parts := name.Parts()
	text := string(base)
	for _, part := range parts {
		if part[0] != '-' {
			text += string(part)
		}
	}
	return text
}

// median is that of all runs of a benchmark, if there was one.
func (r *results) median(name, unit string) (float64, bool) {
	values := r.samples[name][unit]
	if len(values) == 0 {
		return 0, false
	}
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	return benchmath.AssumeNothing.Summary(sample, 0.95).Center, true
}

// fastest are the results with the best run of each benchmark alone. Whatever
// else a machine does makes runs slower and none faster.
func (r *results) fastest() *results {
	best := *r
	best.samples = map[string]map[string][]float64{}
	for name, units := range r.samples {
		best.samples[name] = map[string][]float64{}
		for unit, values := range units {
			one := slices.Min(values)
			if unit == perSecond || unit == reloads || unit == requestRate {
				one = slices.Max(values)
			}
			best.samples[name][unit] = []float64{one}
		}
	}
	return &best
}

// key is the value of one "key=value" part of a benchmark's name, or "".
func key(name, of string) string {
	for part := range strings.SplitSeq(name, "/") {
		if value, ok := strings.CutPrefix(part, of+"="); ok {
			return value
		}
	}
	return ""
}

// distinct are the values that a key has among the benchmarks whose name begins
// with prefix, in the order they were read.
func (r *results) distinct(prefix, of string) []string {
	var values []string
	for _, name := range r.names {
		if value := key(name, of); strings.HasPrefix(name, prefix) && value != "" && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values
}
