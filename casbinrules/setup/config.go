package setup

import (
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
)

// config is the file. Every key is documented in docs/configuration.md, which a
// test holds against these tags.
type config struct {
	Realm  string        `key:"realm" required:"true" doc:"what challenges call the service"`
	Bearer *bearerConfig `key:"bearer" doc:"access tokens that are JSON Web Tokens"`
	Basic  *basicConfig  `key:"basic" doc:"passwords"`
	Policy *policyConfig `key:"policy" doc:"who may do what"`
	Watch  bool          `key:"watch" default:"true" doc:"whether edits of the files named here take effect while the service runs"`
}

// bearerConfig is one issuer, or several in a list.
type bearerConfig struct {
	issuerConfig
	Issuers      []issuerConfig `key:"issuers" doc:"several issuers in place of one: a list of the keys above"`
	Cookie       string         `key:"cookie" doc:"name of a cookie that may have the token in place of Authorization"`
	MaxTokenSize decode.Size    `key:"max_token_size" default:"16KiB" doc:"how long a token may be"`
}

// issuerConfig is one issuer of tokens.
type issuerConfig struct {
	Issuer      string          `key:"issuer" doc:"what the claim iss must be, exactly"`
	Audience    []string        `key:"audience" doc:"what the claim aud must have one of"`
	JWKS        decode.Location `key:"jwks" missing:"sallyport keys new makes one" doc:"file or URL of the JWK set; without it the issuer's metadata names it"`
	Algorithms  []string        `key:"algorithms" doc:"the only signature algorithms that are good; by default those of the keys"`
	RSA         string          `key:"rsa_algorithm" doc:"algorithm of RSA keys in the set that name none, such as RS256"`
	AccessToken bool            `key:"access_token_profile" doc:"take only tokens of the profile of RFC 9068"`
	IDTokens    bool            `key:"id_tokens" doc:"take ID tokens too"`
	Clients     string          `key:"clients" enum:"named,refused,as_users" default:"named" doc:"tokens that a client got for itself: named CLIENT_PREFIX and the client, refused, or like users"`
	Prefix      string          `key:"client_prefix" doc:"what the names of clients begin with; client: by default"`
	Leeway      time.Duration   `key:"leeway" default:"30s" doc:"how far clocks may differ"`
	MaxLifetime time.Duration   `key:"max_lifetime" doc:"how far in the future a token may expire; 3650 days by default"`
	Claims      *claimsConfig   `key:"claims" doc:"which claims say what"`
}

// claimsConfig says where claims of tokens go.
type claimsConfig struct {
	ID        string   `key:"id" doc:"the user's ID; sub by default"`
	Roles     []string `key:"roles" doc:"roles; roles by default, with dots for objects"`
	RolesKeys []string `key:"roles_from_keys" doc:"objects whose keys are roles"`
	Scopes    string   `key:"scopes" doc:"scopes; scope by default"`
	Tenant    string   `key:"tenant" doc:"the tenant; none by default"`
}

// basicConfig is passwords by the scheme Basic.
type basicConfig struct {
	Htpasswd    decode.File   `key:"htpasswd" required:"true" missing:"sallyport passwd FILE USER makes one" doc:"file of users with hashes of bcrypt or argon2id"`
	CacheTTL    time.Duration `key:"cache_ttl" default:"1m" doc:"how long a right password is remembered; 0s for not at all"`
	TLSRequired bool          `key:"tls_required" doc:"refuse passwords that came without TLS"`
}

// policyConfig is a Casbin model and its policy.
type policyConfig struct {
	Model string        `key:"model" required:"true" doc:"file of the model, or a ready one: rbac, rbac-deny or rbac-tenants"`
	Files []decode.File `key:"files" required:"true" missing:"sallyport init writes one" doc:"policy files, or folders of .csv files"`
}
