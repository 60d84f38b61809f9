package lsp

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// analyses analyzes changed documents in the background, one policy at a time, and
// publishes their diagnostics. Changes that arrive during an analysis are collected, and
// analyzed together once it is done.
type analyses struct {
	s    *server
	wake chan struct{}

	mu sync.Mutex
	// dirty holds the paths to analyze.
	dirty map[string]bool
	// changes counts the notifications of changes.
	changes int
	// publications is what was last published, by path.
	publications map[string]publication

	// The fields below are used by run only.
	projects  map[string]Project   // of open documents, by path
	results   map[string]*analysis // by project key
	linters   map[string]*casbinrules.Linter
	published map[string]bool   // paths with published diagnostics
	warned    map[string]string // why there is no project, by path
}

// publication is what was published for a document, and the policy it was based on.
type publication struct {
	doc         *document
	diagnostics []diagnostic
	project     Project
	opened      func() (*casbinrules.Authorizer, error)
	// changes is the count of changes that the diagnostics take into account.
	changes int
}

// analysis is the result of analyzing a project, or a file of tests.
type analysis struct {
	project  Project
	findings map[string][]casbinrules.Finding // by path
	// opened loads the policy on first use, for requests that need decisions.
	opened func() (*casbinrules.Authorizer, error)
	// unread says which file could not be read; "" if none.
	unread string
}

func newAnalyses(s *server) *analyses {
	return &analyses{
		s: s, wake: make(chan struct{}, 1), dirty: map[string]bool{}, publications: map[string]publication{},
		projects: map[string]Project{}, results: map[string]*analysis{}, linters: map[string]*casbinrules.Linter{}, published: map[string]bool{}, warned: map[string]string{},
	}
}

// anyPath stands for all paths: a change may affect which policy a file belongs to.
const anyPath = ""

func (a *analyses) markDirty(path string) {
	a.mu.Lock()
	a.dirty[path] = true
	a.changes++
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// run analyzes changed documents until ctx ends.
func (a *analyses) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		a.s.mu.Lock() // the view must contain exactly the changes counted below
		a.mu.Lock()
		v := a.s.view
		dirty, changes := a.dirty, a.changes
		a.dirty = map[string]bool{}
		a.mu.Unlock()
		a.s.mu.Unlock()
		_, err := recoverPanic(func() (any, error) {
			a.analyze(ctx, &v, dirty, changes)
			return nil, nil
		})
		if err != nil {
			a.s.show(severityError, "sallyport: "+err.Error())
		}
	}
}

// analyze analyzes the projects of the changed paths. changes is the number of changes that
// v contains.
func (a *analyses) analyze(ctx context.Context, v *view, dirty map[string]bool, changes int) {
	all := dirty[anyPath]
	if all {
		a.projects = map[string]Project{}
		clear(a.linters) // they were made with options that may have changed
	}
	inUse := map[string]bool{}
	var again, tests []string
	for _, path := range slices.Sorted(maps.Keys(v.docs)) {
		d := v.docs[path]
		if d.kind == KindOther {
			continue
		}
		p, known := a.projects[path]
		if !known {
			p = a.findProject(v, d)
			a.projects[path] = p
		}
		key := p.key()
		inUse[key] = true
		if stale := all || a.results[key] == nil || p.touches(dirty); stale && !slices.Contains(again, key) {
			again = append(again, key)
			a.results[key] = a.analyzeProject(v, p)
			a.warnOnce(key, a.results[key].unread)
		}
		if d.kind == KindTests {
			inUse[testsOf(path)] = true
			if all || dirty[path] || slices.Contains(again, key) {
				tests = append(tests, path)
			}
		}
	}
	for _, path := range tests {
		a.results[testsOf(path)] = a.analyzeTests(ctx, v.docs[path], a.results[a.projects[path].key()])
	}
	maps.DeleteFunc(a.results, func(key string, _ *analysis) bool { return !inUse[key] })
	maps.DeleteFunc(a.linters, func(key string, _ *casbinrules.Linter) bool { return !inUse[key] })
	maps.DeleteFunc(a.projects, func(path string, _ Project) bool { return v.docs[path] == nil })
	a.publish(v, changes)
}

// findProject returns the project of a document. A failure is shown to the user once.
func (a *analyses) findProject(v *view, d *document) Project {
	p, err := a.s.config.Find(Lookup{File: d.path, Kind: d.kind, Settings: v.settings, Dirs: v.dirs, FS: v.files()})
	a.warnOnce("configuration", p.Skipped)
	if err != nil {
		a.warnOnce(d.path, err.Error())
		p.Why = err.Error()
		return p
	}
	delete(a.warned, d.path)
	return p
}

// warnOnce tells the user why something is not used, and repeats it only if the reason
// changes.
func (a *analyses) warnOnce(what, why string) {
	if why == "" {
		return
	}
	if a.warned[what] != why {
		a.warned[what] = why
		a.s.show(severityWarning, "sallyport: "+why)
	}
}

// key returns a text that identifies the project and its settings.
func (p Project) key() string {
	return p.Model.Name() + "\x00" + strings.Join(p.Policies, "\x00") + "\x00" + p.Why + fmt.Sprintf("\x00%+v", p.Read)
}

// publicationOf returns what was published for this version of a document, or the zero value.
func (a *analyses) publicationOf(d *document) publication {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.publications[d.path]; s.doc == d {
		return s
	}
	return publication{}
}

// current returns the diagnostics of a document unless they are outdated: any change since
// then, to this or another document or to the settings, may have changed them.
func (a *analyses) current(d *document) []diagnostic {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.publications[d.path]; s.doc == d && s.changes == a.changes {
		return s.diagnostics
	}
	return nil
}

func testsOf(path string) string { return "tests\x00" + path }

// touches reports whether any of the files belongs to the project.
func (p Project) touches(files map[string]bool) bool {
	if files[filepath.Clean(p.Model.Name())] {
		return true
	}
	for _, name := range p.Policies {
		name = filepath.Clean(name)
		for file := range files {
			if file == name || filepath.Dir(file) == name {
				return true
			}
		}
	}
	return false
}

// noPolicy is the file name of the empty policy used to analyze a model that has none.
const noPolicy = "no policy"

func (a *analyses) analyzeProject(v *view, p Project) *analysis {
	l := &analysis{project: p, findings: map[string][]casbinrules.Finding{}}
	if p.Model.Name() == "" {
		l.addToPolicies(v, p.Why)
		return l
	}
	files, policies, options := v.files(), p.Policies, p.Options
	if len(policies) == 0 {
		files = files.with(noPolicy, newDocument("", noPolicy, 0, KindPolicy, ""))
		policies = []string{noPolicy}
		options = append(slices.Clone(options), casbinrules.WithEmptyPolicy())
	}
	l.opened = sync.OnceValues(func() (*casbinrules.Authorizer, error) {
		return casbinrules.OpenFS(files, p.Model, policies, options...)
	})
	found, err := a.lint(p, files, policies, options)
	if err != nil {
		// A file could not be read. Report it at the model, which every project has.
		l.unread = err.Error()
		l.add(casbinrules.Finding{File: p.Model.Name(), Line: 1, Column: 1, Severity: casbinrules.SeverityError, Message: err.Error()})
		return l
	}
	for len(found) > 0 { // findings are grouped by file
		file := found[0].File
		n := slices.IndexFunc(found, func(f casbinrules.Finding) bool { return f.File != file })
		if n < 0 {
			n = len(found)
		}
		if file != noPolicy {
			l.add(found[:n:n]...)
		}
		found = found[n:]
	}
	for _, f := range l.findings[filepath.Clean(p.Model.Name())] {
		if f.Severity == casbinrules.SeverityError {
			f.File = filepath.Base(f.File)
			l.addToPolicies(v, "not checked, or only in part, until the model is right: "+f.String())
			break
		}
	}
	return l
}

// lint lints a project. It reuses the project's linter, which only reads what has changed
// since its last run.
func (a *analyses) lint(p Project, files fs.FS, policies []string, options []casbinrules.Option) ([]casbinrules.Finding, error) {
	linter := a.linters[p.key()]
	if linter == nil {
		opts := ask.LintOptions(options)
		if p.CompareRoutes {
			opts = append(opts, casbinrules.WithRoutes(p.Routes))
		}
		var err error
		if linter, err = casbinrules.NewLinter(p.Model, policies, opts...); err != nil {
			return nil, err
		}
		a.linters[p.key()] = linter
	}
	return linter.Lint(files)
}

// addToPolicies says at the top of policy files why there is no model to check them with. Any
// .csv file may end up here, so only those that look like a policy are reported.
func (l *analysis) addToPolicies(v *view, why string) {
	for path, d := range v.docs {
		if d.kind == KindPolicy && why != "" && l.project.touches(map[string]bool{path: true}) && looksLikePolicy(d.text) {
			l.add(casbinrules.Finding{File: path, Line: 1, Column: 1, Severity: casbinrules.SeverityWarning, Code: codeNoModel, Message: why})
		}
	}
}

// codeNoModel is the only code without a section on the page of findings.
const codeNoModel = "no_model"

func looksLikePolicy(text string) bool {
	for line := range strings.Lines(text) {
		if fields := splitFields(line); len(fields) > 2 {
			return fields[0].text == "p" || fields[0].text == "g"
		}
	}
	return false
}

// add adds findings about one file. It retains the slice.
func (l *analysis) add(found ...casbinrules.Finding) {
	path := filepath.Clean(found[0].File)
	l.findings[path] = concat(l.findings[path], found)
}

// concat returns a and b concatenated. It does not copy if a is empty: there may be many
// findings.
func concat(a, b []casbinrules.Finding) []casbinrules.Finding {
	if len(a) == 0 {
		return slices.Clip(b)
	}
	return append(a, b...)
}

// analyzeTests runs the tests of a document, if there is a policy to run them against.
func (a *analyses) analyzeTests(ctx context.Context, d *document, l *analysis) *analysis {
	made := &analysis{findings: map[string][]casbinrules.Finding{}}
	var policy *casbinrules.Authorizer
	if l.opened != nil {
		if opened, err := l.opened(); err == nil {
			policy = opened
		}
	}
	results, err := a.s.config.Test(ctx, l.project, policy, d.path, d.content())
	if err != nil {
		made.add(casbinrules.Finding{File: d.path, Line: 1, Column: 1, Severity: casbinrules.SeverityError, Message: err.Error()})
	}
	for _, r := range results {
		if r.Code == "" {
			continue
		}
		f := casbinrules.Finding{File: d.path, Line: r.Line, Column: r.Column, Severity: casbinrules.SeverityError, Code: r.Code, Message: r.Text}
		if r.Warning {
			f.Severity = casbinrules.SeverityWarning
		}
		made.add(f)
	}
	return made
}
