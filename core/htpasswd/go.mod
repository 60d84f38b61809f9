module github.com/sallyport-go/sallyport/core/htpasswd

go 1.26.0

require (
	github.com/sallyport-go/sallyport/core v0.0.0
	golang.org/x/crypto v0.58.0
	golang.org/x/sync v0.24.0
	golang.org/x/text v0.43.0
)

require golang.org/x/sys v0.49.0 // indirect

replace github.com/sallyport-go/sallyport/core => ../../core
