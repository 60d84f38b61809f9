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

// kept is what the next load needs to know of one, to read only the lines that are
// others than before.
type kept struct {
	model  source.Model
	names  []string
	texts  [][]byte // of the files
	schema *model.Schema
	rules  []*policy.Rule
	graphs map[string]*policy.Graph
	told   []model.Finding
	lint   *lint.Kept
	edited int
}

// keep is what the next load needs; nil if it has to read all lines.
func (r *Reading) keep(in *source.Contents, c *model.Settings) *kept {
	if in.Adapted || c.AsCasbin || !r.alone || len(r.Rules) == 0 || r.linter == nil {
		return nil
	}
	return &kept{
		model: in.Model, names: in.Names(), texts: texts(in), schema: r.Schema, rules: r.Rules, graphs: r.Graphs,
		told: r.told, lint: r.linter.Keep(), edited: r.edited,
	}
}

func texts(in *source.Contents) [][]byte {
	texts := make([][]byte, len(in.Policies))
	for i, f := range in.Policies {
		texts[i] = f.Content
	}
	return texts
}

// few is how many lines of so many rules may have changed for the short way, at once and
// since all were read.
func few(rules int) int { return max(256, rules/8) }

// Reload is Load for the same settings, of contents that follow those of l. Where
// a few lines have changed, and what there was to say about lines is about each by
// itself, only those are read, and the index shares its tables with the one before.
// What comes out decides as what Load makes, and has the same findings.
func (l *Loaded) Reload(in *source.Contents, c *model.Settings) (*Loaded, error) {
	if made := l.revised(in, c); made != nil {
		return made, nil
	}
	return Load(in, c)
}

// revised is nil where there is no short way, as for a policy that is refused: of
// that more is said.
func (l *Loaded) revised(in *source.Contents, c *model.Settings) *Loaded {
	r, v := l.kept.revised(in, c)
	if r == nil || r.errors > 0 {
		return nil
	}
	s := l.Snapshot.Revised(v, c)
	if s == nil {
		return nil
	}
	r.lint(c, l.kept, v)
	r.Check(in, nil)
	if model.Refused(r.Findings) {
		return nil
	}
	return &Loaded{Snapshot: s, Warnings: model.Warnings(r.Findings), Edited: r.edited, follows: true, moves: v.Replaced, kept: r.keep(in, c)}
}

// revised reads what has changed; nil where there is no short way.
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
	v := policy.Revise(k.schema, c, k.rules, k.graphs, k.told, files)
	if v == nil {
		return nil, nil
	}
	c.Pace.RestIfDue()
	return &Reading{
		Schema: k.schema, Rules: v.Rules, Graphs: v.Graphs, Findings: v.Told, files: k.names,
		errors: v.Errors, told: v.Told, alone: true, edited: edited,
	}, v
}

// lint begins to look at a revision.
func (r *Reading) lint(c *model.Settings, k *kept, v *policy.Revision) {
	r.linter = lint.StartRevised(lint.Policy{Schema: r.Schema, Files: r.files, Rules: r.Rules, Column: v.Column}, c,
		lint.Before{Kept: k.lint, Rules: k.rules, Graphs: k.graphs}, v)
}

// Linting looks for what there is to say about a policy again and again. It is for one
// goroutine at a time.
type Linting struct{ kept *kept }

// Edited is how many lines have changed since all of them were read.
func (l *Linting) Edited() int {
	if l.kept == nil {
		return 0
	}
	return l.kept.edited
}

// Lint returns all there is to say about model and policy, by the same settings each
// time. Where a few lines have changed since the last time, only those are read,
// unless routes are known.
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

// compare finds what has changed in each file: one run of lines that holds all
// changes.
func (k *kept) compare(in *source.Contents, p *pace.Pace) []policy.RevisedFile {
	files := make([]policy.RevisedFile, len(in.Policies))
	for i, f := range in.Policies {
		before, now := k.texts[i], f.Content
		at := bytes.LastIndexByte(now[:samePrefix(before, now)], '\n') + 1
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

// startsLine reports whether a line starts at an offset of a text, as one does at
// first.
func startsLine(text []byte, first, at int) bool { return at == first || text[at-1] == '\n' }

// linesIn is how many lines a text has, of which no line feed need end the last.
func linesIn(text []byte) int {
	lines := bytes.Count(text, []byte{'\n'})
	if len(text) > 0 && text[len(text)-1] != '\n' {
		lines++
	}
	return lines
}

// block is how many bytes are compared at once.
const block = 1 << 12

// samePrefix is how many bytes are the same at the beginning of two texts.
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

// sameSuffix is how many bytes are the same at the end of two texts.
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
