module github.com/sallyport-go/sallyport/core/watch

go 1.25.0

require (
	github.com/fsnotify/fsnotify v1.10.1
	github.com/sallyport-go/sallyport/core v0.0.0
)

require golang.org/x/sys v0.13.0 // indirect

replace github.com/sallyport-go/sallyport/core => ../../core
