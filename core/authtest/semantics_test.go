package authtest

import "testing"

// semantics are the cases about promises that no framework can change: what credentials
// prove, what a rule answers, what an answer contains.
func semantics() []group {
	return []group{
		{"gates", gateSemantics},
		{"expired", expiredCases},
		{"order", orderSemantics},
		{"tenants", tenantSemantics},
		{"challenges", challengeSemantics},
		{"credentials", credentialSemantics},
		{"bearer", bearerSemantics},
		{"development", developmentCases},
		{"cookietoken", cookieTokenCases},
		{"tokenlogin", tokenLoginCases},
		{"stepup", stepUpSemantics},
		{"metadata", metadataCases},
		{"basic", basicCases},
		{"digest", digestSemantics},
		{"apikeys", apiKeyCases},
		{"introspect", introspectCases},
		{"attempts", attemptSemantics},
		{"mtls", mtlsSemantics},
		{"crosssite", crossSiteSemantics},
		{"wrapping", wrappingSemantics},
		{"variants", variantSemantics},
		{"recheck", recheckSemantics},
		{"conceal", concealSemantics},
		{"cors", corsSemantics},
		{"methods", methodSemantics},
		{"caching", cachingSemantics},
		{"bodies", bodySemantics},
		{"problems", problemCases},
		{"pages", pageSemantics},
		{"failures", failureSemantics},
		{"events", eventSemantics},
		{"bounds", boundSemantics},
		{"assembly", assemblySemantics},
		{"audit", auditSemantics},
		{"resource", resourceSemantics},
	}
}

func TestSemantics(t *testing.T) { runGroups(t, NetHTTP(), semantics()) }
