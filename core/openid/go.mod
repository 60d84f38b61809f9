module github.com/sallyport-go/sallyport/core/openid

go 1.26.0

require (
	github.com/coreos/go-oidc/v3 v3.21.0
	github.com/sallyport-go/sallyport/core v0.0.0
	golang.org/x/oauth2 v0.37.0
)

require github.com/go-jose/go-jose/v4 v4.1.4 // indirect

replace github.com/sallyport-go/sallyport/core => ../../core
