package probe

// The codes of findings. They are stable once released.
const (
	FaultAnonymousForbidden = "anonymous_forbidden"
	FaultAnonymousStatus    = "anonymous_status"
	FaultOpenRoute          = "open_route"
	FaultSoftDenial         = "soft_denial"
	FaultRedirectDenial     = "redirect_denial"
	FaultPublicRefused      = "public_refused"

	FaultSignedInUnauthorized = "signed_in_unauthorized"
	FaultAllowedThoughDenied  = "allowed_though_denied"
	FaultRefusedThoughAllowed = "refused_though_allowed"
	FaultForbiddenStatus      = "forbidden_status"

	FaultChallengeMissing   = "challenge_missing"
	FaultChallengeMalformed = "challenge_malformed"
	FaultChallengeOn403     = "challenge_on_403"
	FaultSameDenial         = "same_denial"

	FaultBadCredentialsStatus   = "bad_credentials_status"
	FaultBadCredentialsAccepted = "bad_credentials_accepted"
	FaultServerError            = "server_error"
	FaultNoAnswer               = "no_answer"
	FaultRateLimitForbidden     = "rate_limit_forbidden"

	FaultCacheableRefusal = "cacheable_refusal"
	FaultCachedDenial     = "cached_denial"
	FaultCachedAnswer     = "cached_answer"

	FaultSpellingBypass = "spelling_bypass"
	FaultMethodBypass   = "method_bypass"

	FaultCORSHidesRefusal   = "cors_hides_refusal"
	FaultCORSHidesChallenge = "cors_hides_challenge"
	FaultPreflightRefused   = "preflight_refused"

	FaultStackTrace      = "stack_trace"
	FaultRuleInBody      = "rule_in_body"
	FaultUserEnumeration = "user_enumeration"
	FaultUserTiming      = "user_timing"

	FaultCrawlerDifference = "crawler_difference"
	FaultCrawlerRefused    = "crawler_file_refused"
	FaultLinkRefused       = "link_refused"

	FaultInconsistentStatus    = "inconsistent_status"
	FaultInconsistentChallenge = "inconsistent_challenge"
	FaultInconsistentBody      = "inconsistent_body"

	FaultEdgeStatus    = "edge_status"
	FaultEdgeChallenge = "edge_challenge"
	FaultEdgeCache     = "edge_cache"
)

// Fault is a kind of finding.
type Fault struct {
	Name string
	// Title says in one sentence what is wrong.
	Title string
}

// Faults returns all kinds of findings that [Run] knows, in the order of reports.
func Faults() []Fault {
	return []Fault{
		{FaultOpenRoute, "A route that is not listed as public is open to anyone."},
		{FaultBadCredentialsAccepted, "Invalid credentials are accepted."},
		{FaultAllowedThoughDenied, "A request that the policy denies is let through."},
		{FaultSpellingBypass, "Another spelling of a refused path is let through."},
		{FaultMethodBypass, "Another method for a refused route is let through."},
		{FaultCachedAnswer, "A cache serves a response to one user to anyone."},
		{FaultAnonymousForbidden, "A request without credentials gets 403 instead of 401."},
		{FaultAnonymousStatus, "A request without credentials gets something other than 401."},
		{FaultSignedInUnauthorized, "A signed-in user gets 401 instead of 403."},
		{FaultForbiddenStatus, "A user without the permission gets something other than 403."},
		{FaultRefusedThoughAllowed, "A request that the policy allows is refused."},
		{FaultSoftDenial, "A refusal has a success status."},
		{FaultRedirectDenial, "A refusal redirects to a page with a success status."},
		{FaultPublicRefused, "A route that is listed as public is refused."},
		{FaultChallengeMissing, "A 401 has no WWW-Authenticate challenge."},
		{FaultChallengeMalformed, "The challenge of a 401 does not parse."},
		{FaultChallengeOn403, "A 403 carries a challenge."},
		{FaultSameDenial, "The answer does not tell clients whether to sign in or to stop."},
		{FaultBadCredentialsStatus, "Invalid credentials get something other than 401."},
		{FaultServerError, "A request that should be refused causes a server error."},
		{FaultNoAnswer, "A request that should be refused gets no answer."},
		{FaultRateLimitForbidden, "A rate limit answers 403 instead of 429."},
		{FaultCacheableRefusal, "Caches may store a refusal."},
		{FaultCachedDenial, "A cache serves a refusal."},
		{FaultCORSHidesRefusal, "A page of another origin cannot read the status of a refusal."},
		{FaultCORSHidesChallenge, "A page of another origin cannot read the challenge of a 401."},
		{FaultPreflightRefused, "A preflight request is refused."},
		{FaultStackTrace, "An answer shows a stack trace."},
		{FaultRuleInBody, "A refusal names the role or the rule behind it."},
		{FaultUserEnumeration, "A refusal reveals whether an account exists."},
		{FaultUserTiming, "The time of a refusal reveals whether an account exists."},
		{FaultCrawlerDifference, "A crawler gets a different answer than everyone else."},
		{FaultCrawlerRefused, "robots.txt or a sitemap is refused."},
		{FaultLinkRefused, "A public page links to an address that is refused."},
		{FaultInconsistentStatus, "Routes refuse for the same reason with different statuses."},
		{FaultInconsistentChallenge, "Routes refuse for the same reason with different challenges."},
		{FaultInconsistentBody, "Routes refuse for the same reason with different forms of body."},
		{FaultEdgeStatus, "The proxy in front changes the status."},
		{FaultEdgeChallenge, "The proxy in front changes the challenge."},
		{FaultEdgeCache, "The proxy in front changes what caches may do."},
	}
}
