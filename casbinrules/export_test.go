package casbinrules

// LinesEdited returns how many lines have changed in the policy in force since it was last
// read in full.
func LinesEdited(a *Authorizer) int { return a.current.Load().loaded.Edited }

// LinesLinted is LinesEdited for what a linter has read.
func LinesLinted(l *Linter) int { return l.linting.Edited() }
