package casbinrules

import (
	"cmp"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	from "github.com/sallyport-go/sallyport/core/source"
)

// Version identifies a policy that is or was in force.
type Version struct {
	// Hash is a SHA-256 of the model and the sums of the policy files in their
	// order, for which see [from.SumFile], in lower-case hexadecimal. Only the last
	// element of a file name counts: the same files have the same hash on every
	// machine.
	Hash string `json:"hash"`
	// Revision is the revision in decisions by the policy: the number from a source,
	// in decimal, or Hash for files, which have no order.
	Revision string `json:"revision"`
	// Loaded is when the policy came into force.
	Loaded time.Time `json:"loaded"`
	// Rules is the number of p lines, RoleLinks that of g lines of all kinds;
	// repeated lines count once.
	Rules     int `json:"rules"`
	RoleLinks int `json:"role_links"`
	// Files are the model, by its name if it is not a file, and the policy files in
	// their order. The slice is shared and must not be modified.
	Files []string `json:"files"`
}

func newVersion(in *source.Contents, rules policy.Rules, p *pace.Pace) Version {
	v := Version{Hash: in.Hash(), Revision: in.Revision, Loaded: time.Now(), Files: append([]string{in.Model.Name}, in.Names()...)}
	v.Revision = cmp.Or(v.Revision, v.Hash)
	for _, r := range rules.Each(p) {
		switch {
		case r.IsPolicy():
			v.Rules++
		case r.IsLink() || strings.HasPrefix(r.Kind(), "g"):
			v.RoleLinks++
		}
	}
	return v
}

// Age returns how long the policy has been in force.
func (v Version) Age() time.Duration { return time.Since(v.Loaded) }

// Version returns the version of the policy in force. It takes no lock and does not
// allocate, so a health check may call it at any rate.
func (a *Authorizer) Version() Version { return a.current.Load().version }

// Status says whether the policy in force matches the files.
type Status struct {
	// Version is the version of the policy in force.
	Version Version
	// Engine is what decides by the policy in force. If that is Casbin, Unindexed
	// says why, such as "the matcher has the function ipMatch"; otherwise it is "".
	Engine    Engine
	Unindexed string
	// Watching reports that changes of the files are noticed; see [WithFileWatch].
	Watching bool
	// Err says why the files, as last read, are not in force: a [*FindingsError] if
	// they were rejected, otherwise why they could not be read. It is nil if they
	// are in force.
	Err error
	// Since is when that began, zero if Err is nil. Since then the policy in force
	// is older than the files.
	Since time.Time
	// Source is the status of the source of [OpenSource]; otherwise zero.
	Source from.Status
}

// attempt is the result of the last attempt to load.
type attempt struct {
	err   error
	since time.Time
}

// Status is for health endpoints that report when an edit has not taken effect.
func (a *Authorizer) Status() Status {
	w := a.watcher.Load()
	s := a.current.Load()
	f := a.follower.Load()
	st := Status{Version: s.version, Engine: s.EngineName(), Watching: (w != nil || f != nil) && !a.closed.Load()}
	if f != nil {
		st.Source = f.Status()
	}
	if s.Unindexed != nil {
		st.Unindexed = s.Unindexed.Error()
	}
	last := a.last.Load()
	if last == nil || last.err == nil {
		return st
	}
	st.Err, st.Since = last.err, last.since
	return st
}
