module github.com/sallyport-go/sallyport/casbinrules/setup/postgres

go 1.26.0

require (
	github.com/jackc/pgx/v5 v5.13.0
	github.com/sallyport-go/sallyport/casbinrules v0.0.0
	github.com/sallyport-go/sallyport/casbinrules/setup v0.0.0
	github.com/sallyport-go/sallyport/core v0.0.0
	github.com/sallyport-go/sallyport/core/source/postgres v0.0.0
)

require (
	github.com/bmatcuk/doublestar/v4 v4.6.1 // indirect
	github.com/casbin/casbin/v2 v2.135.0 // indirect
	github.com/casbin/govaluate v1.3.0 // indirect
	github.com/fsnotify/fsnotify v1.10.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/sallyport-go/sallyport/core/htpasswd v0.0.0 // indirect
	github.com/sallyport-go/sallyport/core/watch v0.0.0 // indirect
	go.yaml.in/yaml/v4 v4.0.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/sallyport-go/sallyport/casbinrules => ../../
	github.com/sallyport-go/sallyport/casbinrules/setup => ../
	github.com/sallyport-go/sallyport/core => ../../../core
	github.com/sallyport-go/sallyport/core/htpasswd => ../../../core/htpasswd
	github.com/sallyport-go/sallyport/core/source/postgres => ../../../core/source/postgres
	github.com/sallyport-go/sallyport/core/watch => ../../../core/watch
)
