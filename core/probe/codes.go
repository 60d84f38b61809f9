package probe

// The codes of findings. They are stable once released.
const (
	CodeAnonymousForbidden = "anonymous_forbidden"
	CodeAnonymousStatus    = "anonymous_status"
	CodeOpenRoute          = "open_route"
	CodeSoftDenial         = "soft_denial"
	CodeRedirectDenial     = "redirect_denial"
	CodePublicRefused      = "public_refused"

	CodeSignedInUnauthorized = "signed_in_unauthorized"
	CodeAllowedThoughDenied  = "allowed_though_denied"
	CodeRefusedThoughAllowed = "refused_though_allowed"
	CodeForbiddenStatus      = "forbidden_status"

	CodeChallengeMissing   = "challenge_missing"
	CodeChallengeMalformed = "challenge_malformed"
	CodeChallengeOn403     = "challenge_on_403"
	CodeSameDenial         = "same_denial"

	CodeBadCredentialsStatus   = "bad_credentials_status"
	CodeBadCredentialsAccepted = "bad_credentials_accepted"
	CodeServerError            = "server_error"
	CodeNoAnswer               = "no_answer"
	CodeRateLimitForbidden     = "rate_limit_forbidden"

	CodeCacheableRefusal = "cacheable_refusal"
	CodeCachedDenial     = "cached_denial"
	CodeCachedAnswer     = "cached_answer"

	CodeSpellingBypass = "spelling_bypass"
	CodeMethodBypass   = "method_bypass"

	CodeCORSHidesRefusal   = "cors_hides_refusal"
	CodeCORSHidesChallenge = "cors_hides_challenge"
	CodePreflightRefused   = "preflight_refused"

	CodeStackTrace      = "stack_trace"
	CodeRuleInBody      = "rule_in_body"
	CodeUserEnumeration = "user_enumeration"
	CodeUserTiming      = "user_timing"

	CodeCrawlerDifference = "crawler_difference"
	CodeCrawlerRefused    = "crawler_file_refused"
	CodeLinkRefused       = "link_refused"

	CodeInconsistentStatus    = "inconsistent_status"
	CodeInconsistentChallenge = "inconsistent_challenge"
	CodeInconsistentBody      = "inconsistent_body"

	CodeEdgeStatus    = "edge_status"
	CodeEdgeChallenge = "edge_challenge"
	CodeEdgeCache     = "edge_cache"
)

// Code is a kind of finding.
type Code struct {
	Name string
	// Title says in one sentence what is wrong.
	Title string
}

// Codes are all kinds of findings [Judge] knows, in the order of reports.
func Codes() []Code {
	return []Code{
		{CodeOpenRoute, "A route that is not listed as public is there for anybody."},
		{CodeBadCredentialsAccepted, "Credentials that nobody may accept are accepted."},
		{CodeAllowedThoughDenied, "Somebody gets what the policy denies."},
		{CodeSpellingBypass, "A refused path is let through in another spelling."},
		{CodeMethodBypass, "A refused request is let through by another method."},
		{CodeCachedAnswer, "What somebody was given is served to everybody from a cache."},
		{CodeAnonymousForbidden, "A request without credentials gets 403 in place of 401."},
		{CodeAnonymousStatus, "A request without credentials gets something else than 401."},
		{CodeSignedInUnauthorized, "Somebody signed in gets 401 in place of 403."},
		{CodeForbiddenStatus, "Somebody without the right gets something else than 403."},
		{CodeRefusedThoughAllowed, "Somebody is refused what the policy allows."},
		{CodeSoftDenial, "A refusal has the status of success."},
		{CodeRedirectDenial, "A refusal is a redirect to a page with the status of success."},
		{CodePublicRefused, "A route that is listed as public is refused."},
		{CodeChallengeMissing, "A 401 has no WWW-Authenticate challenge."},
		{CodeChallengeMalformed, "The challenge of a 401 does not parse."},
		{CodeChallengeOn403, "A 403 carries a challenge."},
		{CodeSameDenial, "Whether to sign in or to stop cannot be told from the answer."},
		{CodeBadCredentialsStatus, "Credentials that cannot be accepted get something else than 401."},
		{CodeServerError, "A request that is to be refused fails with a server error."},
		{CodeNoAnswer, "A request that is to be refused gets no answer."},
		{CodeRateLimitForbidden, "A rate limit answers 403 in place of 429."},
		{CodeCacheableRefusal, "A refusal may be kept by caches."},
		{CodeCachedDenial, "A refusal is served from a cache."},
		{CodeCORSHidesRefusal, "A page of another site cannot read the status of a refusal."},
		{CodeCORSHidesChallenge, "A page of another site cannot read the challenge of a 401."},
		{CodePreflightRefused, "A preflight request is refused."},
		{CodeStackTrace, "An answer shows a stack trace."},
		{CodeRuleInBody, "A refusal names the role or the rule behind it."},
		{CodeUserEnumeration, "A refusal tells whether an account exists."},
		{CodeUserTiming, "The time of a refusal tells whether an account exists."},
		{CodeCrawlerDifference, "A crawler gets another answer than everybody."},
		{CodeCrawlerRefused, "robots.txt or a sitemap is refused."},
		{CodeLinkRefused, "A public page refers to an address that is refused."},
		{CodeInconsistentStatus, "The same situation has another status on another route."},
		{CodeInconsistentChallenge, "The same situation has another challenge on another route."},
		{CodeInconsistentBody, "The same situation has another form of body on another route."},
		{CodeEdgeStatus, "The proxy in front changes the status."},
		{CodeEdgeChallenge, "The proxy in front changes the challenge."},
		{CodeEdgeCache, "The proxy in front changes what caches may do."},
	}
}
