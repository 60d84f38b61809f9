package telemetry

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/sallyport-go/sallyport/core"
)

// The attributes of metrics and spans. http.route and http.response.status_code
// are those of OpenTelemetry's conventions.
const (
	outcomeKey    attribute.Key = "sallyport.outcome"
	gateKey       attribute.Key = "sallyport.gate"
	resultKey     attribute.Key = "sallyport.result"
	reasonKey     attribute.Key = "sallyport.reason"
	schemeKey     attribute.Key = "sallyport.scheme"
	ruleKey       attribute.Key = "sallyport.rule"
	policyKey     attribute.Key = "sallyport.policy.name"
	revisionKey   attribute.Key = "sallyport.policy.revision"
	keySetKey     attribute.Key = "sallyport.keyset.name"
	logKey        attribute.Key = "sallyport.decisionlog.name"
	dependencyKey attribute.Key = "sallyport.dependency"
	operationKey  attribute.Key = "sallyport.operation"
	cacheKey      attribute.Key = "sallyport.cache.name"
	attemptsKey   attribute.Key = "sallyport.attempts.name"
	heldKey       attribute.Key = "sallyport.attempts.kind"
	sourceKey     attribute.Key = "sallyport.source.name"
	sourceKindKey attribute.Key = "sallyport.source.kind"
	requestKey    attribute.Key = "sallyport.request_id"
	routeKey      attribute.Key = "http.route"
)

// knownReasons returns the reasons of this project's packages, which are reported
// however many others there are.
func knownReasons() []string {
	names := []string{
		"inactive", "unknown_session", "idle_session", "replaced_session", "unknown_refresh_token", "refresh_token_reused",
		"foreign_nonce", "wrong_realm", "missing_proof", "wrong_key", "plain_http", "no_rule_matched", "denied_by_rule",
		"subject_is_role_name", "no_tenant", "no_object", "no_attribute", "bad_attribute", "policy_stale", "credentials_stale", "other_principal",
		"unknown_sign_in", "sign_in_refused", "bad_code", "wrong_nonce", "foreign_subject",
	}
	for _, r := range []core.Reason{
		core.ReasonAllowed, core.ReasonPreflight, core.ReasonNoCredentials, core.ReasonAnonymous, core.ReasonExpiredAnonymous,
		core.ReasonMalformed, core.ReasonUnknownPrincipal, core.ReasonWrongSecret, core.ReasonBadSignature, core.ReasonUnknownKey,
		core.ReasonBadAlgorithm, core.ReasonExpired, core.ReasonNotYetValid, core.ReasonRevoked, core.ReasonStale,
		core.ReasonReplayed, core.ReasonWrongIssuer, core.ReasonWrongAudience, core.ReasonWrongType, core.ReasonBadClaim,
		core.ReasonAmbiguous, core.ReasonAmbiguousPath, core.ReasonPathTooLong, core.ReasonUnknownMethod, core.ReasonDenied,
		core.ReasonMissingRole, core.ReasonForeignTenant, core.ReasonMissingScope, core.ReasonMissingEntitlement,
		core.ReasonAccountState, core.ReasonWeakAuthentication, core.ReasonCrossSite, core.ReasonTooManyAttempts,
		core.ReasonUnavailable, core.ReasonDevelopmentKey, core.ReasonClientGone, core.ReasonInternal, core.ReasonPanic,
	} {
		names = append(names, string(r))
	}
	return names
}

// clean returns s, shortened and as valid UTF-8, for an attribute of a span.
func clean(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxLabel)], "\uFFFD")
}

func (k refusal) set() attribute.Set {
	return attribute.NewSet(outcomeKey.String(k.outcome), reasonKey.String(k.reason), schemeKey.String(k.scheme),
		routeKey.String(k.route), ruleKey.String(k.rule))
}

func reloadSet(k pair) attribute.Set {
	return attribute.NewSet(policyKey.String(k.a), resultKey.String(k.b))
}

func fetchSet(k pair) attribute.Set {
	return attribute.NewSet(keySetKey.String(k.a), resultKey.String(k.b))
}
