package load

import (
	"bytes"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/lint"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	"github.com/sallyport-go/sallyport/core"
)

// kept is what the next load needs from this one to parse only the changed lines.
type kept struct {
	model  source.Model
	names  []string
	files  [][]byte // their contents
	schema *model.Schema
	texts  *policy.Texts
	rules  []*policy.Rule
	graphs map[string]*policy.Graph
	told   []model.Finding
	lint   *lint.Kept
	edited int
}

// keep returns what the next load needs; nil if it must read all lines.
func (r *Reading) keep(in *source.Contents, c *model.Settings) *kept {
	if in.Adapted || c.AsCasbin || !r.alone || len(r.Rules) == 0 || r.linter == nil {
		return nil
	}
	return &kept{
		model: in.Model, names: in.Names(), files: contents(in), schema: r.Schema, texts: r.texts, rules: r.Rules, graphs: r.Graphs,
		told: r.told, lint: r.linter.Keep(), edited: r.edited,
	}
}

func contents(in *source.Contents) [][]byte {
	files := make([][]byte, len(in.Policies))
	for i, f := range in.Policies {
		files[i] = f.Content
	}
	return files
}

// few returns how many lines of so many rules may have changed, at once and since
// all lines were read, for an incremental load.
func few(rules int) int { return max(256, rules/8) }

// Reload is Load for the same settings, of contents that follow those of l. If a
// few lines have changed, and all findings about lines are about single ones, it
// reads only the changed lines, and the new index shares its tables with the
// previous one. The result decides like that of Load, and has the same findings.
func (l *Loaded) Reload(in *source.Contents, c *model.Settings) (*Loaded, error) {
	if made := l.revised(in, c); made != nil {
		return made, nil
	}
	return Load(in, c)
}

// revised returns nil if an incremental load is impossible, also for a policy that
// is refused, about which Load says more.
func (l *Loaded) revised(in *source.Contents, c *model.Settings) *Loaded {
	r, v := l.kept.revised(in, c)
	if r == nil || r.errors > 0 {
		return nil
	}
	s := l.Snapshot.Revised(v, c)
	if s == nil {
		return nil
	}
	c.Pace.RestIfDue()
	r.lint(c, l.kept, v)
	r.Check(in, nil)
	if model.Refused(r.Findings) {
		return nil
	}
	return &Loaded{Snapshot: s, Warnings: model.Warnings(r.Findings), Edited: r.edited, follows: true, moves: v.Replaced, kept: r.keep(in, c)}
}

// revised reads what has changed; nil if an incremental load is impossible.
func (k *kept) revised(in *source.Contents, c *model.Settings) (*Reading, *policy.Revision) {
	if k == nil || in.Model != k.model || !slices.Equal(in.Names(), k.names) {
		return nil, nil
	}
	files := k.compare(in, c.Pace)
	edited := k.edited
	for _, f := range files {
		edited += max(f.Old, f.New)
	}
	if edited > few(len(k.rules)) {
		return nil, nil
	}
	v := policy.Revise(k.schema, c, k.rules, k.texts, k.graphs, k.told, files)
	if v == nil {
		return nil, nil
	}
	c.Pace.RestIfDue()
	return &Reading{
		Schema: k.schema, Rules: v.Rules, Graphs: v.Graphs, Findings: v.LineFindings, files: k.names,
		texts: v.Texts, errors: v.Errors, told: v.LineFindings, alone: true, edited: edited,
	}, v
}

// lint prepares the findings about a revision.
func (r *Reading) lint(c *model.Settings, k *kept, v *policy.Revision) {
	r.linter = lint.StartRevised(r.forLint(v.Column), c,
		lint.Before{Kept: k.lint, Rules: k.rules, Graphs: k.graphs}, v)
}

// Linting computes the findings about a policy repeatedly while it is edited. It
// must not be used concurrently.
type Linting struct{ kept *kept }

// Edited returns the number of lines that have changed since all lines were read.
func (l *Linting) Edited() int {
	if l.kept == nil {
		return 0
	}
	return l.kept.edited
}

// Lint returns all findings about model and policy, with the same settings each
// time. If a few lines have changed since the last call, it reads only those,
// unless routes are given.
func (l *Linting) Lint(in *source.Contents, c *model.Settings, routes []core.RouteInfo) ([]model.Finding, error) {
	if routes != nil {
		l.kept = nil
	}
	r, v := l.kept.revised(in, c)
	if r != nil {
		r.lint(c, l.kept, v)
	} else {
		var err error
		if r, err = Read(in, c); err != nil {
			l.kept = nil
			return nil, err
		}
	}
	r.Check(in, routes)
	l.kept = r.keep(in, c)
	return r.Findings, nil
}

// compare finds what has changed in each file, as one range of lines that contains
// all changes.
func (k *kept) compare(in *source.Contents, p *pace.Pace) []policy.RevisedFile {
	files := make([]policy.RevisedFile, len(in.Policies))
	for i, f := range in.Policies {
		before, now := k.files[i], f.Content
		at := bytes.LastIndexByte(now[:samePrefix(before, now)], '\n') + 1
		p.RestIfDue()
		same := sameSuffix(before[at:], now[at:])
		if !startsLine(before, at, len(before)-same) || !startsLine(now, at, len(now)-same) {
			_, rest, _ := bytes.Cut(now[len(now)-same:], []byte{'\n'})
			same = len(rest)
		}
		files[i] = policy.RevisedFile{
			Name: f.Name, Content: now, At: at,
			Same: linesIn(now[:at]), Old: linesIn(before[at : len(before)-same]), New: linesIn(now[at : len(now)-same]),
		}
		p.RestIfDue()
	}
	return files
}

// startsLine reports whether a line starts at an offset of a text; the text itself
// starts with a line at first.
func startsLine(text []byte, first, at int) bool { return at == first || text[at-1] == '\n' }

// linesIn returns how many lines a text has, the last of which may lack its line feed.
func linesIn(text []byte) int {
	lines := bytes.Count(text, []byte{'\n'})
	if len(text) > 0 && text[len(text)-1] != '\n' {
		lines++
	}
	return lines
}

// block is the number of bytes compared at once.
const block = 1 << 12

// samePrefix returns how many bytes are equal at the beginning of two texts.
func samePrefix(a, b []byte) int {
	n, most := 0, min(len(a), len(b))
	for n+block <= most && bytes.Equal(a[n:n+block], b[n:n+block]) {
		n += block
	}
	for n < most && a[n] == b[n] {
		n++
	}
	return n
}

// sameSuffix returns how many bytes are equal at the end of two texts.
func sameSuffix(a, b []byte) int {
	n, most := 0, min(len(a), len(b))
	for n+block <= most && bytes.Equal(a[len(a)-n-block:len(a)-n], b[len(b)-n-block:len(b)-n]) {
		n += block
	}
	for n < most && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
