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
		{FaultOpenRoute, "A route that is not listed as public is there for anybody."},
		{FaultBadCredentialsAccepted, "Credentials that nobody may accept are accepted."},
		{FaultAllowedThoughDenied, "Somebody gets what the policy denies."},
		{FaultSpellingBypass, "A refused path is let through in another spelling."},
		{FaultMethodBypass, "A refused request is let through by another method."},
		{FaultCachedAnswer, "A response to somebody is served to everybody from a cache."},
		{FaultAnonymousForbidden, "A request without credentials gets 403 in place of 401."},
		{FaultAnonymousStatus, "A request without credentials gets something other than 401."},
		{FaultSignedInUnauthorized, "Somebody signed in gets 401 in place of 403."},
		{FaultForbiddenStatus, "Somebody without the right gets something other than 403."},
		{FaultRefusedThoughAllowed, "Somebody is refused what the policy allows."},
		{FaultSoftDenial, "A refusal has the status of success."},
		{FaultRedirectDenial, "A refusal is a redirect to a page with the status of success."},
		{FaultPublicRefused, "A route that is listed as public is refused."},
		{FaultChallengeMissing, "A 401 has no WWW-Authenticate challenge."},
		{FaultChallengeMalformed, "The challenge of a 401 does not parse."},
		{FaultChallengeOn403, "A 403 carries a challenge."},
		{FaultSameDenial, "Whether to sign in or to stop cannot be told from the answer."},
		{FaultBadCredentialsStatus, "Credentials that cannot be accepted get something other than 401."},
		{FaultServerError, "A request that is to be refused fails with a server error."},
		{FaultNoAnswer, "A request that is to be refused gets no answer."},
		{FaultRateLimitForbidden, "A rate limit answers 403 in place of 429."},
		{FaultCacheableRefusal, "A refusal may be kept by caches."},
		{FaultCachedDenial, "A refusal is served from a cache."},
		{FaultCORSHidesRefusal, "A page of another site cannot read the status of a refusal."},
		{FaultCORSHidesChallenge, "A page of another site cannot read the challenge of a 401."},
		{FaultPreflightRefused, "A preflight request is refused."},
		{FaultStackTrace, "An answer shows a stack trace."},
		{FaultRuleInBody, "A refusal names the role or the rule behind it."},
		{FaultUserEnumeration, "A refusal tells whether an account exists."},
		{FaultUserTiming, "The time of a refusal tells whether an account exists."},
		{FaultCrawlerDifference, "A crawler gets a different answer from everybody else."},
		{FaultCrawlerRefused, "robots.txt or a sitemap is refused."},
		{FaultLinkRefused, "A public page refers to an address that is refused."},
		{FaultInconsistentStatus, "The same situation has another status on another route."},
		{FaultInconsistentChallenge, "The same situation has another challenge on another route."},
		{FaultInconsistentBody, "The same situation has another form of body on another route."},
		{FaultEdgeStatus, "The proxy in front changes the status."},
		{FaultEdgeChallenge, "The proxy in front changes the challenge."},
		{FaultEdgeCache, "The proxy in front changes what caches may do."},
	}
}
