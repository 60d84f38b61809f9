package setup

import (
	"net/netip"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
)

// config is the content of the file. Every key is documented in
// docs/configuration.md, and a test compares the page with these tags.
type config struct {
	Realm    string             `key:"realm" required:"true" doc:"name of the service in challenges"`
	Bearer   *bearerConfig      `key:"bearer" doc:"scheme: access tokens, either JSON Web Tokens or opaque tokens that the issuer introspects"`
	DPoP     *dpopConfig        `key:"dpop" doc:"scheme: the tokens of bearer, bound to a client's key"`
	Basic    *basicConfig       `key:"basic" doc:"scheme: passwords"`
	Digest   *digestConfig      `key:"digest" doc:"scheme: passwords that are not sent"`
	APIKeys  *apiKeysConfig     `key:"api_keys" doc:"scheme: keys for programs"`
	Certs    *certsConfig       `key:"client_certificates" doc:"scheme: certificates of TLS clients"`
	Session  *sessionConfig     `key:"session" doc:"scheme: cookies of people who have signed in"`
	Revoked  *revocationsConfig `key:"revocations" doc:"which tokens and sessions were revoked, in a log that instances share"`
	Policy   *policyConfig      `key:"policy" doc:"who may do what"`
	Tenant   *tenantConfig      `key:"tenant" doc:"which tenant a request is for; that of the credentials by default"`
	Answers  *answersConfig     `key:"answers" doc:"what refusals look like; only problem details by default"`
	Attempts *attemptsConfig    `key:"attempts" doc:"limits on guessing; none by default"`
	Proxies  *proxiesConfig     `key:"proxies" doc:"trusted proxies in front, which report the client's address"`
	Browsers *browsersConfig    `key:"browsers" doc:"pages of other origins, and dialogs"`
	Requests *requestsConfig    `key:"requests" doc:"which requests reach rules and handlers"`
	Log      *logConfig         `key:"log" doc:"where and how verdicts are logged; slog's default logger by default"`
	Decision *decisionConfig    `key:"decision_log" doc:"a log of decisions for auditors"`
	Observer []decode.Kind      `key:"observers" slot:"observer" doc:"observers of verdicts besides the log: a list of kinds"`
	Serve    *serveConfig       `key:"serve" doc:"the server of sallyport serve"`
	Watch    bool               `key:"watch" default:"true" doc:"whether edits of the files named here take effect while the service runs"`
}

// bearerConfig is one issuer, or several in a list.
type bearerConfig struct {
	issuerConfig
	Issuers       []issuerConfig       `key:"issuers" doc:"several issuers instead of one: a list of the keys above"`
	SharedIDs     bool                 `key:"shared_ids" doc:"the issuers name the same people, so that none needs an id_prefix"`
	Introspection *introspectionConfig `key:"introspection" doc:"the endpoint that checks tokens other than JSON Web Tokens (RFC 7662)"`
	Cookie        string               `key:"cookie" doc:"name of a cookie that may carry the token instead of Authorization; must begin with __Host-"`
	MaxTokenSize  decode.Size          `key:"max_token_size" default:"16KiB" doc:"how long a token may be"`
	Metadata      string               `key:"resource_metadata" doc:"URL of the metadata of this service (RFC 9728), for challenges"`
}

// issuerConfig is one issuer of tokens.
type issuerConfig struct {
	Issuer      string          `key:"issuer" doc:"what the claim iss must be, exactly"`
	Template    string          `key:"issuer_template" doc:"the issuers of many tenants, with {NAME} for a claim, instead of one issuer"`
	Audience    []string        `key:"audience" doc:"one of these must be in the claim aud"`
	AnyAudience bool            `key:"any_audience" doc:"also accept tokens that were issued for other services"`
	JWKS        decode.Location `key:"jwks" missing:"sallyport keys new makes one" doc:"file or URL of the JWK set; without it the issuer's metadata names it"`
	Algorithms  []string        `key:"algorithms" doc:"the only accepted signature algorithms; by default those of the keys"`
	RSA         string          `key:"rsa_algorithm" doc:"algorithm of RSA keys in the set that name none, such as RS256"`
	AccessToken bool            `key:"access_token_profile" doc:"accept only tokens with the profile of RFC 9068"`
	IDTokens    bool            `key:"id_tokens" doc:"also accept ID tokens"`
	Leeway      time.Duration   `key:"leeway" default:"30s" doc:"how far clocks may differ"`
	MaxLifetime time.Duration   `key:"max_lifetime" default:"87600h" doc:"how far in the future a token may expire"`
	Development string          `key:"development" enum:"local,anywhere" default:"local" doc:"from where tokens signed by development keys are accepted: local for programs on this machine, or anywhere"`
	Revocations decode.File     `key:"revocations" doc:"file of revoked tokens; beside introspection it covers those tokens too"`
	PlainHTTP   bool            `key:"plain_http" doc:"fetch keys without TLS from other machines, in a closed network"`
	principalConfig
}

// principalConfig says how the claims of a token, or the members of an introspection
// response, become a principal.
type principalConfig struct {
	Clients  string        `key:"clients" enum:"named,refused,as_users" default:"named" doc:"tokens that a client got for itself: named client_prefix and the client, refused, or like users"`
	Prefix   string        `key:"client_prefix" doc:"what the names of clients begin with; client: by default"`
	IDPrefix string        `key:"id_prefix" doc:"what the IDs of all its users and clients begin with; several issuers need different ones, unless they name the same people"`
	Only     []string      `key:"authorized_clients" doc:"the only clients whose tokens are accepted"`
	Nonce    bool          `key:"nonce" doc:"accept access tokens that carry a nonce"`
	Claims   *claimsConfig `key:"claims" doc:"which claims carry the ID, roles, scopes and tenant"`
}

// claimsConfig maps claims of tokens.
type claimsConfig struct {
	ID        string   `key:"id" doc:"the user's ID; sub by default"`
	Roles     []string `key:"roles" doc:"the roles; roles by default, with dots for objects"`
	RolesKeys []string `key:"roles_from_keys" doc:"objects whose keys are roles"`
	Scopes    string   `key:"scopes" doc:"the scopes; scope by default"`
	Tenant    string   `key:"tenant" doc:"the tenant; none by default"`
}

// introspectionConfig is an issuer that is asked about each token.
type introspectionConfig struct {
	Endpoint  string        `key:"endpoint" required:"true" doc:"URL of the endpoint"`
	Client    string        `key:"client" required:"true" doc:"ID of this service as a client of the issuer"`
	Secret    decode.Secret `key:"secret" required:"true" doc:"its secret"`
	Issuer    string        `key:"issuer" doc:"what iss of an answer must be; not checked by default"`
	Audience  []string      `key:"audience" doc:"one of these must be in aud of an answer"`
	AnyAud    bool          `key:"any_audience" doc:"also accept tokens that were issued for other services"`
	Timeout   time.Duration `key:"timeout" default:"3s" doc:"how long an answer may take"`
	CacheTTL  time.Duration `key:"cache_ttl" default:"30s" doc:"how long an answer is kept, and a token that the issuer has revoked still works; 0s to keep none"`
	CacheSize int           `key:"cache_size" default:"10000" doc:"how many answers are kept"`
	Leeway    time.Duration `key:"leeway" default:"30s" doc:"how far clocks may differ"`
	PlainHTTP bool          `key:"plain_http" doc:"ask an endpoint on another machine without TLS, in a closed network"`
	principalConfig
}

// dpopConfig configures tokens that are bound to a key.
type dpopConfig struct {
	Required      bool            `key:"required" doc:"refuse tokens that are not bound to a key"`
	Address       []string        `key:"address" required:"true" doc:"where clients reach the root of the service, such as https://api.example"`
	Algorithms    []string        `key:"algorithms" doc:"what proofs may be signed with"`
	ProofAge      time.Duration   `key:"proof_age" default:"60s" doc:"for how long a proof is valid"`
	Leeway        time.Duration   `key:"leeway" default:"30s" doc:"how far clocks may differ"`
	NonceKey      decode.Secret   `key:"nonce_key" doc:"at least 32 bytes that all processes share; with it every proof needs a nonce"`
	PreviousKeys  []decode.Secret `key:"previous_nonce_keys" doc:"former keys, whose nonces are still valid"`
	NonceLifetime time.Duration   `key:"nonce_lifetime" default:"5m" doc:"for how long a nonce is valid"`
	Replays       decode.Kind     `key:"replays" slot:"replay store" doc:"where instances share the proofs they have seen, one kind with its settings; by default each remembers its own"`
	Fallback      bool            `key:"replay_fallback" doc:"let each instance continue on its own while the replay store is down; 503 otherwise"`
}

// basicConfig configures passwords with the scheme Basic.
type basicConfig struct {
	Htpasswd    decode.File   `key:"htpasswd" missing:"sallyport passwd FILE USER makes one" doc:"file of users with hashes of bcrypt or argon2id; required without store_file"`
	StoreFile   string        `key:"store_file" doc:"name of that file in the policy's store, instead of htpasswd"`
	CacheTTL    time.Duration `key:"cache_ttl" default:"1m" doc:"how long a correct password is remembered; 0s to remember none"`
	TLSRequired bool          `key:"tls_required" doc:"refuse passwords that came without TLS"`
}

// digestConfig configures passwords with the scheme Digest.
type digestConfig struct {
	Htdigest      decode.File     `key:"htdigest" missing:"docs/digest.md says how to make one" doc:"file of users with hashes for the realm above; required without store_file"`
	StoreFile     string          `key:"store_file" doc:"name of that file in the policy's store, instead of htdigest"`
	Algorithms    []string        `key:"more_algorithms" enum:"SHA-512-256,MD5" doc:"algorithms that are offered besides SHA-256"`
	UserHash      bool            `key:"userhash" doc:"let clients send a hash of the user's name"`
	NonceKey      decode.Secret   `key:"nonce_key" doc:"at least 32 bytes that all processes share; by default each has its own"`
	PreviousKeys  []decode.Secret `key:"previous_nonce_keys" doc:"former keys, whose nonces are still valid"`
	NonceLifetime time.Duration   `key:"nonce_lifetime" default:"5m" doc:"for how long a nonce is valid"`
	MaxNonces     int             `key:"max_nonces" default:"65536" doc:"how many nonces are remembered"`
	Counts        decode.Kind     `key:"counts" slot:"count store" doc:"where instances share the answers they have seen, one kind with its settings; needs nonce_key; by default each remembers its own"`
	Fallback      bool            `key:"count_fallback" doc:"let each instance continue on its own while the count store is down; 503 otherwise"`
}

// apiKeysConfig configures keys for programs. A key is read from one place in a
// request.
type apiKeysConfig struct {
	File      decode.File `key:"file" missing:"sallyport apikey new -f FILE makes one" doc:"file of keys; required without store_file"`
	StoreFile string      `key:"store_file" doc:"name of that file in the policy's store, instead of file"`
	Header    string      `key:"header" doc:"header field with the key; X-API-Key by default"`
	Scheme    string      `key:"authorization_scheme" doc:"scheme of Authorization with the key, instead of the header"`
	Query     string      `key:"query_parameter" doc:"query parameter with the key, instead of the header"`
}

// certsConfig configures certificates of TLS clients.
type certsConfig struct {
	Identity      string            `key:"identity" required:"true" enum:"common_name,dns_name,email,uri,spiffe" doc:"which name in a certificate is the ID"`
	TrustDomain   string            `key:"trust_domain" doc:"the trust domain of SPIFFE IDs"`
	CA            decode.File       `key:"ca" once:"true" doc:"PEM file of the authorities whose certificates are accepted, whatever the TLS server accepts; read once"`
	Units         map[string]string `key:"roles_of_units" doc:"which role each organizational unit gives"`
	Header        string            `key:"header" enum:"client_cert,nginx" doc:"take the certificate from a header of the proxies: Client-Cert (RFC 9440), or as nginx sends it"`
	NginxCert     string            `key:"nginx_certificate" default:"X-SSL-Client-Cert" doc:"nginx: header field with the certificate"`
	NginxVerify   string            `key:"nginx_verify" default:"X-SSL-Client-Verify" doc:"nginx: header field with the outcome"`
	ProxyVerifies bool              `key:"proxy_verifies" doc:"the proxies verify certificates, so that ca is not needed"`
}

// sessionConfig configures cookies of people who have signed in.
type sessionConfig struct {
	Store           decode.Kind   `key:"store" slot:"session store" doc:"where sessions are kept, one kind with its settings; in the memory of this process by default"`
	StoreTimeout    time.Duration `key:"store_timeout" default:"2s" doc:"how long one answer of the store may take"`
	Cookie          string        `key:"cookie" default:"session" doc:"name of the cookie, without the prefix __Host-"`
	IdleTimeout     time.Duration `key:"idle_timeout" default:"30m" doc:"how long a session may be idle before it ends"`
	AbsoluteTimeout time.Duration `key:"absolute_timeout" default:"12h" doc:"how long after sign-in a session ends"`
	Persistent      bool          `key:"persistent_cookie" doc:"let browsers keep the cookie after they are closed"`
	Strict          bool          `key:"strict_same_site" doc:"do not send the cookie with requests that another site caused"`
	SignInPage      string        `key:"sign_in_page" doc:"path of the page where people sign in, for scripts"`
	SignIn          decode.Kind   `key:"sign_in" slot:"sign-in" doc:"sign-in at another server, one kind with its settings"`
	SignInRedirect  string        `key:"sign_in_redirect" doc:"path of the page after signing in, for people who did not come from another; / by default"`
	LogoutRedirect  string        `key:"logout_redirect" doc:"path of the page after signing out; 204 by default"`
	PlainHTTP       bool          `key:"plain_http_for_development" doc:"work without TLS on this machine; never use it in production"`
}

// policyConfig names a Casbin model and its policy.
type policyConfig struct {
	Model      string            `key:"model" required:"true" doc:"file of the model, or a ready one: rbac, rbac-deny, rbac-tenants or rbac-tenants-patterns"`
	Files      []decode.File     `key:"files" missing:"sallyport init writes one" doc:"policy files, or folders of .csv files; required without a store"`
	Store      decode.Kind       `key:"store" slot:"policy store" doc:"where instances share the model and policy, one kind with its settings, instead of files"`
	StoreFiles []string          `key:"store_files" doc:"names of the policy files in the store, or of folders there; all .csv files by default"`
	Poll       time.Duration     `key:"poll_interval" doc:"how often the store is polled for its revision, in addition to notifications; 5s by default"`
	MaxStale   time.Duration     `key:"max_staleness" doc:"how long the policy is used without confirmation by its store; no limit by default"`
	Stale      string            `key:"when_stale" enum:"serve,unavailable,known_only" doc:"what happens after that: continue (the default), 503, or allow only what was allowed before"`
	LastGood   string            `key:"last_good_file" doc:"file that keeps the policy last in force, to start with while the store is down"`
	Older      bool              `key:"older_revisions" doc:"follow a store that shows an older revision than before, instead of keeping the newer one"`
	Anonymous  bool              `key:"anonymous" doc:"decide requests without credentials as the subject anonymous"`
	Empty      bool              `key:"empty" doc:"accept a policy without a p line"`
	TokenRoles bool              `key:"token_roles" default:"true" doc:"use the roles that credentials carry"`
	Prefix     string            `key:"role_prefix" doc:"what the names of roles begin with in the policy"`
	Default    string            `key:"default_role" doc:"role of everybody with credentials, spelt as in credentials"`
	Route      bool              `key:"route_as_object" doc:"use routes as registered, instead of paths, as objects"`
	AsCasbin   bool              `key:"casbin_semantics" doc:"accept what Casbin accepts, with Casbin's meaning"`
	Attributes map[string]string `key:"attributes" doc:"which claim fills each request field of the model besides sub, dom, obj and act"`
	Types      map[string]string `key:"attribute_types" enum:"text,number,time,date,ip" doc:"the type of those fields; text by default"`
	Functions  map[string]string `key:"functions" doc:"which built-in function each function of the matcher stands for"`

	ObjectAttributes []string `key:"object_attributes" doc:"which request fields a handler fills, with a fact about the object that it has loaded"`
	ObjectsAtGates   bool     `key:"objects_at_gates" doc:"also decide at gates, where no object has been loaded and these fields are empty; refused there by default"`

	RolePatterns   map[string]string `key:"role_patterns" doc:"which function matches the patterns in each kind of role links, such as g: keyMatch"`
	TenantPatterns []string          `key:"tenant_patterns" doc:"kinds of role links in which tenants are patterns"`
}

// tenantConfig names one place where requests say which tenant they are for.
type tenantConfig struct {
	Path   string `key:"path" doc:"in the path: a pattern such as /t/:tenant, whose last segment is the tenant"`
	Host   string `key:"host" doc:"in the host: the domain below which each tenant has a name, such as app.example"`
	Header string `key:"header" doc:"in a header field: its name, such as X-Tenant"`
}

// answersConfig configures the form of refusals.
type answersConfig struct {
	Formats        []string      `key:"formats" enum:"problem,json,text" doc:"formats for programs, the first for those that name none; problem by default"`
	Languages      []string      `key:"languages" enum:"en,de" doc:"languages of pages, the first for those who prefer none; en by default"`
	SignInPage     string        `key:"sign_in_page" doc:"path of the page where people sign in, for a link on the page of a 401"`
	SignInRedirect string        `key:"sign_in_redirect" doc:"path of the page to which people who open a page are sent instead of 401"`
	SwitchAccount  string        `key:"switch_account" doc:"path of the page to switch accounts, for a link on the page of a 403"`
	Contact        *contact      `key:"contact" doc:"whom to ask for access, for a link on the page of a 403"`
	Style          decode.File   `key:"style" once:"true" doc:"style sheet of pages; read once"`
	CSP            string        `key:"content_security_policy" doc:"the policy of pages"`
	RequestID      string        `key:"request_id" default:"X-Request-Id" doc:"header field with the ID of a request, which answers repeat"`
	RetryAfter     time.Duration `key:"retry_after" default:"5s" doc:"Retry-After of a 503 if the failing part does not give one"`
}

// contact is a link for users who are refused.
type contact struct {
	Text string `key:"text" required:"true" doc:"text of the link, such as the office"`
	Link string `key:"link" required:"true" doc:"its URL, or a path of this site"`
}

// attemptsConfig configures limits on guessing.
type attemptsConfig struct {
	Address    *budget       `key:"address" doc:"how often an address may fail; 10 in 1m and a burst of 20 by default"`
	Network    *budget       `key:"network" doc:"how often an IPv6 /48 may fail; 50 in 1m and a burst of 100 by default"`
	Account    *budget       `key:"account" doc:"how often authentication for one account may fail; 60 in 1h and a burst of 20 by default"`
	MaxWait    time.Duration `key:"max_wait" default:"15m" doc:"the longest time that anyone is told to wait"`
	Known      time.Duration `key:"known_address_lifetime" default:"24h" doc:"how long after a success the account's budget does not apply to an address"`
	MaxEntries int           `key:"max_entries" default:"65536" doc:"how many addresses, networks and accounts are remembered"`
	Store      decode.Kind   `key:"store" slot:"attempt store" doc:"where instances share their counts, one kind with its settings; by default each counts separately"`
	StoreKey   decode.Secret `key:"store_key" doc:"at least 32 bytes that instances share, the key with which names and addresses are hashed in the store; required with store"`
	Unshared   int           `key:"unshared_attempts" default:"1" doc:"how many concurrent attempts, by those who have not failed, are verified without asking the store"`
}

// budget is the number of failures allowed in a time.
type budget struct {
	Failures int           `key:"failures" required:"true" doc:"number of failures allowed"`
	Per      time.Duration `key:"per" required:"true" doc:"in this period"`
	Burst    int           `key:"burst" required:"true" doc:"number of failures at once"`
}

// browsersConfig configures requests from browsers.
type browsersConfig struct {
	Trusted []string `key:"trusted_origins" doc:"origins whose pages may cause unsafe requests with cookies and the like"`
	CORS    []string `key:"cors_origins" doc:"origins whose scripts may read refusals"`
	Prompts bool     `key:"prompts" default:"true" doc:"let browsers show their password dialog for requests by a page's script"`
}

// requestsConfig says which requests are accepted.
type requestsConfig struct {
	Methods        []string    `key:"methods" doc:"methods besides the usual ones that reach rules and handlers"`
	EncodedSlashes bool        `key:"encoded_slashes" doc:"let encoded slashes in path parameters through"`
	MaxPathSize    decode.Size `key:"max_path_size" default:"8KiB" doc:"how long a path may be"`
}

// logConfig configures the log of verdicts.
type logConfig struct {
	Format    string        `key:"format" enum:"text,json" default:"text" doc:"form of the lines, which go to standard error"`
	Level     string        `key:"level" enum:"debug,info,warn,error" default:"info" doc:"the lowest level that is written"`
	Pseudonym decode.Secret `key:"pseudonym_key" doc:"at least 32 bytes; with it names and addresses are logged as pseudonyms"`
}

// decisionConfig configures the decision log.
type decisionConfig struct {
	Path    string        `key:"path" required:"true" doc:"file to write to, or - for standard output"`
	MaxSize decode.Size   `key:"max_size" default:"100MiB" doc:"how large a file may become before a new one is started"`
	MaxAge  time.Duration `key:"max_age" default:"24h" doc:"how old a file may become before a new one is started"`
	Files   int           `key:"max_files" default:"30" doc:"how many renamed files are kept"`
	Percent int           `key:"allowed_percent" default:"100" doc:"percentage of allowed requests that are written; refusals always are"`
	Sample  decode.Secret `key:"sample_key" doc:"at least 16 bytes that services share, so that they log the same requests"`
	Queue   int           `key:"queue_size" default:"8192" doc:"how many decisions may wait to be written"`
	Chain   bool          `key:"chain" doc:"chain lines with hashes"`
	Key     decode.Secret `key:"chain_key" doc:"key to sign the chain with: Ed25519 in PEM, or at least 32 bytes for HMAC"`
	Heads   time.Duration `key:"head_interval" default:"1s" doc:"how long lines may stay unsigned"`
}

// proxiesConfig names the proxies that are trusted to identify clients.
type proxiesConfig struct {
	Trusted    []netip.Prefix `key:"trusted" doc:"networks that only the proxies are in"`
	UnixSocket bool           `key:"unix_socket" doc:"trust peers on a Unix-domain socket"`
	Forwarded  bool           `key:"forwarded" doc:"read Forwarded (RFC 7239) instead of X-Forwarded-For"`
}

// serveConfig configures the server of sallyport serve.
type serveConfig struct {
	Address    string `key:"address" default:"127.0.0.1:8080" doc:"address to listen on, which only the proxy should reach"`
	Proxy      string `key:"proxy" required:"true" enum:"nginx,caddy,traefik,haproxy,envoy" doc:"the proxy that asks"`
	Preflights bool   `key:"preflights" doc:"let CORS preflights through to the application"`
	Semicolons bool   `key:"semicolons" doc:"let paths with a semicolon through"`
}
