module github.com/sallyport-go/sallyport/casbinrules/casbinv3

go 1.25.0

require (
	github.com/casbin/casbin/v3 v3.10.0
	github.com/casbin/govaluate v1.3.0
	github.com/sallyport-go/sallyport/casbinrules v0.0.0
	github.com/sallyport-go/sallyport/core v0.0.0
)

require (
	github.com/bmatcuk/doublestar/v4 v4.6.1 // indirect
	github.com/casbin/casbin/v2 v2.135.0 // indirect
	github.com/fsnotify/fsnotify v1.10.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/sallyport-go/sallyport/core/watch v0.0.0 // indirect
	golang.org/x/sys v0.13.0 // indirect
)

replace (
	github.com/sallyport-go/sallyport/casbinrules => ../
	github.com/sallyport-go/sallyport/core => ../../core
	github.com/sallyport-go/sallyport/core/watch => ../../core/watch
)
