module github.com/sallyport-go/sallyport/core/htpasswd

go 1.26.0

require (
	github.com/sallyport-go/sallyport/core v0.0.0
	golang.org/x/crypto v0.58.0
)

replace github.com/sallyport-go/sallyport/core => ../../core
