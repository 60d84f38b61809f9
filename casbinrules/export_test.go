package casbinrules

// LinesEdited is how many lines have changed in the policy in force since all of
// them were read.
func LinesEdited(a *Authorizer) int { return a.current.Load().loaded.Edited }

// LinesLinted is LinesEdited for what a linter has read.
func LinesLinted(l *Linter) int { return l.linting.Edited() }
