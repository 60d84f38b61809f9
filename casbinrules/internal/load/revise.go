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
	"github.com/sallyport-go/sallyport/core/watch"
)

// kept is what the next load needs from this one to parse only the changed lines.
type kept struct {
	model    source.Model
	policies []watch.File
	lint     *lint.Kept
	Reading  // without its findings and its linter
}

// keep returns what the next load needs; nil if it must read all lines.
func (r *Reading) keep(in *source.Contents, c *model.Settings) *kept {
	if in.Adapted || c.AsCasbin || !r.alone || r.Rules.Len() == 0 || r.linter == nil {
		return nil
	}
	k := &kept{in.Model, in.Policies, r.linter.Keep(), *r}
	k.linter, k.Findings = nil, nil
	return k
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
	if k == nil || in.Model != k.model || !slices.Equal(in.Names(), k.files) {
		return nil, nil
	}
	files := k.compare(in, c.Pace)
	edited := k.edited
	for _, f := range files {
		edited += max(f.Old, f.New)
	}
	if edited > few(k.Rules.Len()) {
		return nil, nil
	}
	v := policy.Revise(k.Schema, c, k.Rules, k.texts, k.Graphs, k.told, files)
	if v == nil {
		return nil, nil
	}
	c.Pace.RestIfDue()
	return &Reading{
		Schema: k.Schema, Rules: v.Rules, Graphs: v.Graphs, Findings: v.LineFindings, files: k.files,
		texts: v.Texts, errors: v.Errors, told: v.LineFindings, alone: true, edited: edited,
	}, v
}

// lint prepares the findings about a revision.
func (r *Reading) lint(c *model.Settings, k *kept, v *policy.Revision) {
	r.linter = lint.StartRevised(r.forLint(v.Column), c,
		lint.Before{Kept: k.lint, Rules: k.Rules, Graphs: k.Graphs}, v)
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
		before, now := k.policies[i].Content, f.Content
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
