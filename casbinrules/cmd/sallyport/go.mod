module github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport

go 1.26.0

require (
	github.com/casbin/casbin/v2 v2.135.0
	github.com/chromedp/cdproto v0.160.3
	github.com/chromedp/chromedp v0.23.1
	github.com/getkin/kin-openapi v0.153.0
	github.com/owenrumney/go-sarif/v3 v3.3.1
	github.com/prometheus/client_model v0.6.3
	github.com/prometheus/common v0.72.0
	github.com/redis/go-redis/v9 v9.23.0
	github.com/sallyport-go/sallyport/casbinrules v0.0.0
	github.com/sallyport-go/sallyport/casbinrules/setup v0.0.0
	github.com/sallyport-go/sallyport/casbinrules/setup/oidc v0.0.0
	github.com/sallyport-go/sallyport/casbinrules/setup/postgres v0.0.0
	github.com/sallyport-go/sallyport/casbinrules/setup/redis v0.0.0
	github.com/sallyport-go/sallyport/casbinrules/setup/telemetry v0.0.0
	github.com/sallyport-go/sallyport/core v0.0.0
	github.com/sallyport-go/sallyport/core/htpasswd v0.0.0
	github.com/sallyport-go/sallyport/core/source/postgres v0.0.0
	github.com/sallyport-go/sallyport/core/source/redis v0.0.0
	github.com/sallyport-go/sallyport/core/watch v0.0.0
	github.com/sourcegraph/jsonrpc2 v0.2.3
	github.com/spf13/cobra v1.10.2
	go.yaml.in/yaml/v4 v4.0.0
	golang.org/x/term v0.48.0
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_golang v1.24.1 // indirect
	github.com/prometheus/otlptranslator v1.0.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/sallyport-go/sallyport/core/telemetry v0.0.0 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel v1.47.0 // indirect
	go.opentelemetry.io/otel/exporters/prometheus v0.69.0 // indirect
	go.opentelemetry.io/otel/log v1.47.0 // indirect
	go.opentelemetry.io/otel/metric v1.47.0 // indirect
	go.opentelemetry.io/otel/sdk v1.47.0 // indirect
	go.opentelemetry.io/otel/sdk/metric v1.47.0 // indirect
	go.opentelemetry.io/otel/trace v1.47.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

require (
	github.com/bmatcuk/doublestar/v4 v4.6.1 // indirect
	github.com/casbin/govaluate v1.3.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/coreos/go-oidc/v3 v3.21.0 // indirect
	github.com/fsnotify/fsnotify v1.10.1 // indirect
	github.com/go-jose/go-jose/v4 v4.1.4 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/go-openapi/jsonpointer v0.22.5 // indirect
	github.com/go-openapi/swag/jsonname v0.25.5 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.13.0 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/sallyport-go/sallyport/core/openid v0.0.0 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/xeipuuv/gojsonpointer v0.0.0-20180127040702-4e3ac2762d5f // indirect
	github.com/xeipuuv/gojsonreference v0.0.0-20180127040603-bd5ef7bd5415 // indirect
	github.com/xeipuuv/gojsonschema v1.2.0 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/sallyport-go/sallyport/casbinrules => ../../
	github.com/sallyport-go/sallyport/casbinrules/setup => ../../setup
	github.com/sallyport-go/sallyport/casbinrules/setup/oidc => ../../setup/oidc
	github.com/sallyport-go/sallyport/casbinrules/setup/postgres => ../../setup/postgres
	github.com/sallyport-go/sallyport/casbinrules/setup/redis => ../../setup/redis
	github.com/sallyport-go/sallyport/casbinrules/setup/telemetry => ../../setup/telemetry
	github.com/sallyport-go/sallyport/core => ../../../core
	github.com/sallyport-go/sallyport/core/htpasswd => ../../../core/htpasswd
	github.com/sallyport-go/sallyport/core/openid => ../../../core/openid
	github.com/sallyport-go/sallyport/core/source/postgres => ../../../core/source/postgres
	github.com/sallyport-go/sallyport/core/source/redis => ../../../core/source/redis
	github.com/sallyport-go/sallyport/core/telemetry => ../../../core/telemetry
	github.com/sallyport-go/sallyport/core/watch => ../../../core/watch
)
