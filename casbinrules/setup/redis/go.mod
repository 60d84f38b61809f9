module github.com/sallyport-go/sallyport/casbinrules/setup/redis

go 1.26.0

require (
	github.com/sallyport-go/sallyport/casbinrules v0.0.0
	github.com/sallyport-go/sallyport/casbinrules/setup v0.0.0
	github.com/sallyport-go/sallyport/core v0.0.0
	github.com/sallyport-go/sallyport/core/source/redis v0.0.0
)

require (
	github.com/bmatcuk/doublestar/v4 v4.6.1 // indirect
	github.com/casbin/casbin/v2 v2.135.0 // indirect
	github.com/casbin/govaluate v1.3.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/fsnotify/fsnotify v1.10.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/redis/go-redis/v9 v9.23.0 // indirect
	github.com/sallyport-go/sallyport/core/htpasswd v0.0.0 // indirect
	github.com/sallyport-go/sallyport/core/watch v0.0.0 // indirect
	go.uber.org/atomic v1.12.0 // indirect
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
	github.com/sallyport-go/sallyport/core/source/redis => ../../../core/source/redis
	github.com/sallyport-go/sallyport/core/watch => ../../../core/watch
)
