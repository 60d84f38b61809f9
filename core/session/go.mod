module github.com/sallyport-go/sallyport/core/session

go 1.25.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/sallyport-go/sallyport/core v0.0.0
)

replace github.com/sallyport-go/sallyport/core => ../../core
