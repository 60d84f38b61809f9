module github.com/sallyport-go/sallyport/core/jwtauth

go 1.25.0

require (
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/sallyport-go/sallyport/core v0.0.0
)

replace github.com/sallyport-go/sallyport/core => ../../core
