// Package casbinrules answers gate two from Casbin models and policy files.
//
// [Open] reads a model and its policy and returns an [Authorizer] for
// core.WithAuthorizer. Every decision is Casbin's own for the same model and
// policy, with these additions, each of which only ever narrows what a policy
// file can be misread to mean:
//
//   - The roles in a principal's credentials count as role links of that
//     request.
//   - A principal whose ID is the name of a role gets nothing by that name, and
//     is denied what rules deny it.
//   - A method outside GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS is
//     allowed only by a rule that names it; "*" does not.
//   - HEAD is judged as GET unless some rule names HEAD; what is denied to GET
//     is denied to HEAD even then.
//
// What Casbin would load and take for something else than was meant is an error
// of loading, reported with file, line and column, all of them at once: see
// [FindingsError]. What is only likely to be a mistake is a warning, listed by
// [Authorizer.Warnings]; [Lint] reports both without opening anything. The
// additions, and the errors that Casbin would load, are off with [WithCasbinSemantics].
package casbinrules
