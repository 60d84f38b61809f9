// Package casbinrules answers gate two from Casbin models and policy files.
//
// [Open] reads a model and its policy and returns an [Authorizer] for
// [core.WithAuthorizer]:
//
//	policy, err := casbinrules.Open(casbinrules.RBACWithDeny(), []string{"policy.csv"}, casbinrules.WithFileWatch())
//	if err != nil {
//		return nil, err // every mistake, with file, line, column and what to do
//	}
//	return core.NewGuard(schemes, core.WithAuthorizer(policy))
//
// Every decision is Casbin's own for the same model and policy, with these additions,
// each of which only narrows what a policy file can be misread to mean:
//
//   - The roles in a principal's credentials count as role links of that
//     request.
//   - A principal whose ID is the name of a role gets nothing by that name, and
//     is denied what rules deny it.
//   - A method outside GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS is
//     allowed only by a rule that names it; "*" does not. It does cover actions
//     that gates name ([core.WithAction]).
//   - HEAD is judged as GET unless some rule names HEAD; what is denied to GET
//     is denied to HEAD even then.
//
// A line that Casbin would load but take for something other than what was meant is
// an error, reported with file, line and column, all of them at once: see
// [FindingsError]. A likely mistake is a warning, listed by [Authorizer.Warnings];
// [Lint] reports both without opening anything. [WithCasbinSemantics] turns off the
// additions and these errors.
//
// # Contents
//
// Where model and policy come from:
//   - [Open] and [OpenFS] read files; [FromAdapter], a Casbin adapter; [FromRows],
//     anything else. [FromEnforcer] asks an enforcer of the application's own.
//   - [ModelFile], [ModelText], and the ready models [RBAC], [RBACWithDeny],
//     [RBACWithTenants] and [RBACWithTenantPatterns].
//
// What a request is to the policy:
//   - [WithAnonymous], [WithRouteAsObject], [WithRolePrefix], [WithoutTokenRoles],
//     [WithDefaultRole].
//   - [WithAttribute], [WithClaimAttribute], [WithClaimAttributeOr],
//     [WithClaimsAsAttributes] and [WithAttributeType] fill further fields;
//     [ParseAttribute] reads "age=number".
//   - [WithObjectAttribute] and [WithObjectAttributeOr], with [Authorizer.About], for
//     what a handler knows of the object, such as its owner.
//   - [WithFunction], and [WithFunctionAlias] with [AliasableFunctions], give
//     matchers functions.
//   - [WithRolePatterns] and [WithTenantPatterns] take texts in role links for
//     patterns; [WithClock] says by what time links with an end are judged, and
//     [WithLinkCondition] when others count.
//
// Decisions and their reasons:
//   - [Authorizer.Authorize] and [Authorizer.AuthorizeAnonymous], which gates ask;
//     [Authorizer.Enforce] is Casbin's own, and so are all with [WithCasbinSemantics].
//   - [Authorizer.Explain] and [Authorizer.ExplainQuery] make an [Explanation];
//     [WithMaxNearMisses] and [WithAbout] are options of them.
//   - [Authorizer.RolesOf] and [Authorizer.KnownRoles], for rules about roles.
//
// What may I see, and who may see it:
//   - [Authorizer.Objects] makes an [ObjectSet], which database queries take as SQL
//     with [Dollar] or [QuestionMark] and [WithColumn], or as a [Condition]; [Authorizer.Filter] and
//     [Authorizer.Actions] decide about lists; [Authorizer.Subjects] makes a
//     [SubjectSet].
//
// One policy for many instances:
//   - [OpenSource] follows a store that they share, with [WithSourceOptions];
//     [WithMaxStaleness] says what holds when it cannot be reached.
//
// Edits while the service runs:
//   - [WithFileWatch], [WithWatcher] and [Authorizer.Reload] load again;
//     [Authorizer.Close] ends that.
//   - [WithReloadObserver], [LogReloads], [Authorizer.Status] and
//     [Authorizer.Version] say what became of it.
//
// What is wrong with a policy, and tools:
//   - [Lint], [LintFS] and [NewLinter], with [WithRoutes]; [Finding] and [FindingsError];
//     [WithEmptyPolicy], [WithLogger], [WithPseudonyms].
//   - [Authorizer.Rules], [Authorizer.Matcher], [Authorizer.RequestFields],
//     [Authorizer.Differences] and [FormatPolicy].
//
// Another major version of Casbin comes in through package bridge:
// [WithCasbin], [FromBridgedEnforcer]; that of v3 is the module
// casbinrules/casbinv3.
package casbinrules
