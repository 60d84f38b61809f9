package routing

import "strings"

// Folding knows where the paths of an app's entries may differ in letter case from
// what was registered: Fiber lower-cases the prefixes of mounted sub-apps, and Fiber
// v2 those of Static, unless the app in which they are registered is CaseSensitive.
type Folding struct {
	fold    bool // letter case does not matter to the app's router
	mounted []mounted
	unknown bool // what is mounted is not known
}

// mounted is a sub-app.
type mounted struct {
	path string // as it was registered
	fold bool   // letter case does not matter to the sub-app's router
}

// NewFolding returns the Folding of an app whose router ignores letter case if fold
// is set.
func NewFolding(fold bool) *Folding { return &Folding{fold: fold} }

// Unknown records that it is not known what is mounted in the app.
func (f *Folding) Unknown() { f.unknown = true }

// Mount records a sub-app below path, as it was registered, at any depth. fold
// reports that its router ignores letter case.
func (f *Folding) Mount(path string, fold bool) {
	f.mounted = append(f.mounted, mounted{"/" + strings.Trim(unescaped(path), "/"), fold})
}

// end returns the length of the prefix of an entry's path that may have been
// registered in another letter case; 0 for none.
func (f *Folding) end(text string, static bool) (end int) {
	lower := f.fold && static || f.unknown
	for _, m := range f.mounted {
		n := len(m.path)
		if n > len(text) || !equalFold(text[:n], m.path) || m.path != "/" && n < len(text) && text[n] != '/' {
			continue
		}
		if text[:n] != m.path {
			end = max(end, n)
		}
		lower = lower || m.fold && static
	}
	if lower {
		end = len(text)
	}
	return end
}
